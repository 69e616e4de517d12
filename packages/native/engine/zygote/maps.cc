#include "zygote/maps.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

namespace pyisolate {

std::vector<Mapping> read_maps(int proc) {
  const int fd = openat(proc, "self/maps", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(fdopen(fd, "r"), std::fclose);
  if (!maps) {
    close(fd);
    return {};
  }
  std::vector<Mapping> found;
  char line[4096 + 256];
  while (std::fgets(line, sizeof line, maps.get()) != nullptr) {
    unsigned long start, end, offset, inode;
    char rights[5], device[16];
    if (std::sscanf(line, "%lx-%lx %4s %lx %15s %lu", &start, &end, rights, &offset, device, &inode) != 6) continue;
    found.push_back({start, end, rights[1] == 'w', rights[3] != 'p', inode != 0});
  }
  return found;
}

}  // namespace pyisolate
