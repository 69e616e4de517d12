#include "operations.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

int outcome(int result) { return result < 0 ? errno : 0; }

int open_by(const char* path, int flags) {
  const int fd = open(path, flags | O_CLOEXEC, 0644);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

int execute(const char* path) {
  char* const arguments[] = {const_cast<char*>(path), nullptr};
  char* const environment[] = {nullptr};
  execve(path, arguments, environment);
  return errno;
}

// From and to a name beside the one that is given.
std::string beside(const std::string& path) { return path + ".from"; }

// To the loopback address, or on it.
int reach(const std::string& what, const std::string& family, const std::string& port) {
  const bool four = family == "4";
  const int fd = socket(four ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const auto number = htons(static_cast<std::uint16_t>(std::atoi(port.c_str())));
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = number;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = number;
  in6.sin6_addr = in6addr_loopback;
  const auto* address = four ? reinterpret_cast<const sockaddr*>(&in) : reinterpret_cast<const sockaddr*>(&in6);
  const socklen_t length = four ? sizeof in : sizeof in6;
  const int result = outcome(what == "bind" ? bind(fd, address, length) : connect(fd, address, length));
  close(fd);
  return result;
}

[[noreturn]] void fail(const std::string& path) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), std::strerror(errno));
  std::exit(1);
}

void make_file(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0) fail(path);
  close(fd);
}

}  // namespace

int try_operation(const std::vector<std::string>& operation) {
  const std::string& what = operation.at(0);
  const char* path = operation.at(1).c_str();
  if (what == "read") return open_by(path, O_RDONLY);
  if (what == "list") return open_by(path, O_RDONLY | O_DIRECTORY);
  if (what == "write") return open_by(path, O_WRONLY);
  if (what == "truncate") return outcome(truncate(path, 0));
  if (what == "execute") return execute(path);
  if (what == "create") return open_by(path, O_WRONLY | O_CREAT | O_EXCL);
  if (what == "unlink") return outcome(unlink(path));
  if (what == "mkdir") return outcome(mkdir(path, 0755));
  if (what == "rmdir") return outcome(rmdir(path));
  if (what == "symlink") return outcome(symlink("nowhere", path));
  if (what == "rename") return outcome(rename(beside(path).c_str(), path));
  if (what == "connect" || what == "bind") return reach(what, operation[1], operation.at(2));
  std::fprintf(stderr, "no operation: %s\n", what.c_str());
  std::exit(1);
}

void prepare_operation(const std::vector<std::string>& operation) {
  const std::string& what = operation.at(0);
  if (what == "unlink") make_file(operation.at(1));
  if (what == "rename") make_file(beside(operation.at(1)));
  if (what == "rmdir" && mkdir(operation.at(1).c_str(), 0755) != 0) fail(operation[1]);
}

void clear_operation(const std::vector<std::string>& operation) {
  const std::string& what = operation.at(0);
  for (const char* changes : {"create", "unlink", "mkdir", "rmdir", "symlink", "rename"}) {
    if (what != changes) continue;
    for (const std::string& path : {operation.at(1), beside(operation.at(1))})
      if (std::remove(path.c_str()) != 0 && errno != ENOENT) fail(path);
  }
}
