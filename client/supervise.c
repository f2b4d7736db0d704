/* SPDX-License-Identifier: MIT */
/* A command that runs, and the daemon that it needs. */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "pagerctl.h"

/* And all real-time signals. */
static const int passed_on[] = {SIGINT,	 SIGTERM,  SIGHUP,  SIGQUIT, SIGUSR1,  SIGUSR2,
				SIGCONT, SIGWINCH, SIGTSTP, SIGALRM, SIGIO,    SIGURG,
				SIGPWR,	 SIGPROF,  SIGXCPU, SIGXFSZ, SIGVTALRM};

void supervise_prepare(sigset_t *old)
{
	sigset_t handled;
	sigemptyset(&handled);
	sigaddset(&handled, SIGCHLD);
	for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		sigaddset(&handled, passed_on[i]);
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		sigaddset(&handled, number);
	sigprocmask(SIG_BLOCK, &handled, old);
}

void supervise_finish(const sigset_t *old)
{
	sigprocmask(SIG_SETMASK, old, NULL);
}

/* In the child. Of all processes of the run, the command itself must be able to join. */
static _Noreturn void command_exec(char **command, const sigset_t *signals, int failure)
{
	char self[12];
	snprintf(self, sizeof(self), "%d", getpid());
	setenv("PAGERD_REQUIRE", self, 1);
	sigprocmask(SIG_SETMASK, signals, NULL);
	execvp(command[0], command);
	ssize_t ignored = write(failure, &errno, sizeof(errno));
	_exit(ignored < 0);
}

int supervise_launch(char **command, const sigset_t *signals, pid_t *pid)
{
	int failure[2], error = 0;
	if (pipe2(failure, O_CLOEXEC) < 0) {
		complain("pipe: %s", strerror(errno));
		return STATUS_RUN_FAILED;
	}
	*pid = fork();
	if (*pid == 0)
		command_exec(command, signals, failure[1]);
	close(failure[1]);
	if (*pid < 0)
		error = errno;
	else if (read(failure[0], &error, sizeof(error)) == sizeof(error))
		waitpid(*pid, NULL, 0);
	close(failure[0]);
	if (error == 0)
		return 0;
	complain("%s: %s", command[0], strerror(error));
	if (*pid < 0)
		return STATUS_RUN_FAILED;
	return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

/* The terminal sends its signals to the whole process group, the command included; what somebody
 * sent to this process alone has to be passed on. */
static void signal_handle(const struct signalfd_siginfo *signal, pid_t command)
{
	bool from_terminal = signal->ssi_code == SI_KERNEL;
	if (signal->ssi_signo == SIGCHLD)
		return;
	if (!from_terminal)
		kill(command, (int)signal->ssi_signo);
	if (signal->ssi_signo == SIGTSTP)
		raise(SIGSTOP); /* as whoever waits for us expects */
}

static bool command_ended(pid_t command, int *status)
{
	int raw;
	if (waitpid(command, &raw, WNOHANG) != command)
		return false;
	*status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
	return true;
}

static int orphans_kill(const struct descendants *descendants, bool *orphaned)
{
	descendants_kill(descendants);
	*orphaned = true;
	return STATUS_RUN_FAILED;
}

/* At its end the daemon takes the memory away, then ends. Whether it does is known once all of its
 * threads have answered. */
static bool memory_taken(int status, const struct service *service)
{
	return status == 128 + SIGBUS && control_drain(service->control) < 0;
}

int supervise(pid_t command, const struct service *service, const struct descendants *descendants,
	      bool *orphaned)
{
	sigset_t handled;
	sigprocmask(SIG_BLOCK, NULL, &handled);
	int signals = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
	struct pollfd sources[] = {
		{.fd = signals, .events = POLLIN},
		{.fd = service->control, .events = POLLIN},
	};
	int status;
	*orphaned = false;
	while (!command_ended(command, &status)) {
		struct signalfd_siginfo signal;
		poll(sources, 2, -1);
		while (read(signals, &signal, sizeof(signal)) == sizeof(signal))
			signal_handle(&signal, command);
		descendants_reap(command, (pid_t)service->pid);
		/* The daemon never speaks first: anything here is its end. */
		if (sources[1].revents && !command_ended(command, &status)) {
			status = orphans_kill(descendants, orphaned);
			break;
		}
		if (sources[1].revents)
			break;
	}
	close(signals);
	if (!*orphaned && memory_taken(status, service))
		status = orphans_kill(descendants, orphaned);
	return status;
}
