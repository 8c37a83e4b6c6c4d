// SPDX-License-Identifier: Apache-2.0
// Calls a CNI plugin as a container runtime does: a process for each call, as many at once as is said.
//   container-runtime ADD|DEL AT-ONCE POD...      for each pod; its network namespace is made before and removed afterwards
//   container-runtime BARE|GONE AT-ONCE POD...    the same with a pair of interfaces that one process makes or removes, without a plugin
// A call that fails is made again, after a DEL if it was an ADD, as the kubelet has the runtime do. Prints a line for each pod: its name, the
// milliseconds that the last call took, how many there were, and what the program printed. Namespaces are not counted.
// A test compiles it and runs it in a machine of a lab.
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define PLUGIN "/opt/cni/bin/ebpf-dataplane"
#define CONFIG "{\"cniVersion\":\"1.0.0\",\"name\":\"ebpf-dataplane\",\"type\":\"ebpf-dataplane\"}"
#define MOST_TRIES 300
#define PAUSE_US 100000
#define LARGEST 3000 // so that a line is written at once
#define LONGEST 100

extern char **environ;
static char said[LARGEST];

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* Runs a program to its end, and keeps what it prints. */
static int run(char *const argv[], char *const environment[], const char *input)
{
	posix_spawn_file_actions_t files;
	int in[2], out[2], status = -1;
	size_t length = 0;
	ssize_t count;
	pid_t child;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || posix_spawn_file_actions_init(&files) ||
	    posix_spawn_file_actions_adddup2(&files, in[0], 0) || posix_spawn_file_actions_adddup2(&files, out[1], 1) ||
	    posix_spawnp(&child, argv[0], &files, NULL, argv, environment))
		fail(argv[0]);
	posix_spawn_file_actions_destroy(&files);
	close(in[0]);
	close(out[1]);
	if (write(in[1], input, strlen(input)) < 0)
		perror("write");
	close(in[1]);
	while ((count = read(out[0], said + length, sizeof(said) - 1 - length)) > 0)
		length += count;
	said[length] = 0;
	close(out[0]);
	waitpid(child, &status, 0);
	return status;
}

static int plugin(const char *command, const char *pod)
{
	static char variables[4][4 * LONGEST];
	char path[] = "CNI_PATH=/opt/cni/bin", interface[] = "CNI_IFNAME=eth0", program[] = PLUGIN;
	char *argv[] = { program, NULL };
	char *environment[] = { variables[0], variables[1], variables[2], variables[3], path, interface, NULL };

	snprintf(variables[0], sizeof(variables[0]), "CNI_COMMAND=%s", command);
	snprintf(variables[1], sizeof(variables[1]), "CNI_CONTAINERID=%s", pod);
	snprintf(variables[2], sizeof(variables[2]), "CNI_NETNS=/run/netns/%s", pod);
	snprintf(variables[3], sizeof(variables[3]), "CNI_ARGS=K8S_POD_NAMESPACE=default;K8S_POD_NAME=%s;K8S_POD_UID=%s",
		 pod, pod);
	return run(argv, environment, CONFIG);
}

static int ip(const char *batch, const char *pod)
{
	char commands[4 * LONGEST];
	char *argv[] = { "ip", "-batch", "-", NULL };

	snprintf(commands, sizeof(commands), batch, pod, pod, pod);
	return run(argv, environ, commands);
}

static int call(const char *command, const char *pod)
{
	if (!strcmp(command, "BARE"))
		return ip("link add x%s type veth peer name eth0 netns %s\nlink set x%s up\n", pod);
	if (!strcmp(command, "GONE"))
		return ip("link delete x%s\n", pod);
	return plugin(command, pod);
}

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void serve(const char *command, const char *pod)
{
	int comes = !strcmp(command, "ADD") || !strcmp(command, "BARE"), tries = 1;
	double begun;

	if (comes && ip("netns add %s\n", pod))
		fail("netns add");
	for (begun = now_ms(); call(command, pod); begun = now_ms()) {
		if (tries++ == MOST_TRIES) {
			fprintf(stderr, "%s of %s: %s\n", command, pod, said);
			exit(1);
		}
		usleep(PAUSE_US);
		if (!strcmp(command, "ADD"))
			plugin("DEL", pod);
	}
	dprintf(1, "%s %.1f %d %s\n", pod, now_ms() - begun, tries, comes ? said : "");
	if (!comes && ip("netns delete %s\n", pod))
		fail("netns delete");
}

int main(int count, char **words)
{
	int *next = mmap(NULL, sizeof(*next), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int at_once = count > 2 ? atoi(words[2]) : 0, failed = 0, status, place;

	if (at_once < 1 || next == MAP_FAILED)
		return 2;
	*next = 3;
	for (int worker = 0; worker < at_once; worker++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (child)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while ((place = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED)) < count)
			serve(words[1], words[place]);
		return 0;
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}
