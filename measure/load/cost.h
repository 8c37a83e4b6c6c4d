/* SPDX-License-Identifier: Apache-2.0 */
/* The costs of a round besides time. */
#pragma once

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROCESSORS 1024

/* Instructions on every processor, where the machine counts them; virtual ones often do not. */
static int open_instructions(int *counters)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE, .size = sizeof(attr), .config = PERF_COUNT_HW_INSTRUCTIONS
	};
	int processors = sysconf(_SC_NPROCESSORS_ONLN), opened = 0;

	if (processors > MAX_PROCESSORS)
		return 0;
	for (; opened < processors; opened++) {
		counters[opened] = syscall(__NR_perf_event_open, &attr, -1, opened, -1, PERF_FLAG_FD_CLOEXEC);
		if (counters[opened] < 0)
			break;
	}
	if (opened == processors)
		return processors;
	while (opened > 0)
		close(counters[--opened]);
	return 0;
}

/* Has the kernel count the run time of BPF programs as long as the descriptor is open. */
static int count_bpf(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.enable_stats.type = BPF_STATS_RUN_TIME;
	return syscall(__NR_bpf, BPF_ENABLE_STATS, &attr, sizeof(attr));
}

/* Nanoseconds that this process has run. */
static int64_t processor_time(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}
