/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that holds a pod's namespaces open: it sleeps until it is asked to end, and, being process 1 of a pod that
 * shares its PID namespace, takes in the exit status of orphans, which would otherwise stay as zombies. Asked for its
 * version (-v) it prints it and ends, which is how kubeadm finds out before an upgrade whether the cluster runs jobs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal)
{
	(void)signal;
	_exit(EXIT_SUCCESS);
}

static void reap(int signal)
{
	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(int count, char **arguments)
{
	struct sigaction ending = { .sa_handler = end };
	struct sigaction reaping = { .sa_handler = reap, .sa_flags = SA_NOCLDSTOP };

	if (count > 1 && strcmp(arguments[1], "-v") == 0)
		return puts("pause of ebpf-dataplane") < 0;
	/* Process 1 gets no default action for a signal: without a handler SIGTERM would be lost. */
	if (sigaction(SIGTERM, &ending, NULL) || sigaction(SIGINT, &ending, NULL) || sigaction(SIGCHLD, &reaping, NULL))
		return EXIT_FAILURE;
	for (;;)
		pause();
}
