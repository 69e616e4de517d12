#include "trial.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace pyisolate::probe {
namespace {

constexpr unsigned kPatienceSeconds = 5;

struct Answer {
  int error;
  char step[64];
};

[[noreturn]] void attempt_and_exit(const std::function<Trial()>& attempt, int out) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(kPatienceSeconds);
  const Trial trial = attempt();
  Answer answer{trial.error, {}};
  std::strncpy(answer.step, trial.step.c_str(), sizeof answer.step - 1);
  const bool said = write(out, &answer, sizeof answer) == static_cast<ssize_t>(sizeof answer);
  _exit(said ? 0 : 1);
}

}  // namespace

Trial in_child(const std::function<Trial()>& attempt) {
  int ends[2];
  if (pipe(ends) != 0) return Trial::failed("pipe");
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    attempt_and_exit(attempt, ends[1]);
  }
  const int fork_error = errno;
  close(ends[1]);
  Answer answer{};
  ssize_t got = -1;
  if (child > 0) {
    do {
      got = read(ends[0], &answer, sizeof answer);
    } while (got < 0 && errno == EINTR);
  }
  close(ends[0]);
  if (child < 0) return Trial::failed("fork", fork_error);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (got == static_cast<ssize_t>(sizeof answer)) return {answer.step, answer.error};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return Trial::failed("it hangs", ETIMEDOUT);
  return Trial::failed("it is killed for trying", EPERM);
}

}  // namespace pyisolate::probe
