#include "zygote/identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <vector>

namespace pyisolate {
namespace {

struct Extent {
  std::uint64_t first;
  std::uint64_t end;  // one past the last
};

// Lines of "inside outside count".
std::vector<Extent> extents(const std::string& text) {
  std::vector<Extent> all;
  std::istringstream lines(text);
  std::uint64_t inside, outside, count;
  while (lines >> inside >> outside >> count) all.push_back({inside, inside + count});
  return all;
}

bool holds(const std::vector<Extent>& all, std::uint64_t id) {
  return std::any_of(all.begin(), all.end(), [id](const Extent& e) { return e.first <= id && id < e.end; });
}

std::string read_all(int proc, const char* name) {
  std::string text;
  const int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char part[4096];
  ssize_t size;
  while ((size = read(fd, part, sizeof part)) > 0) text.append(part, static_cast<std::size_t>(size));
  close(fd);
  return text;
}

}  // namespace

unsigned cell_id_in(const std::string& uid_map, const std::string& gid_map) {
  const auto uids = extents(uid_map);
  const auto gids = extents(gid_map);
  if (holds(uids, kCellUid) && holds(gids, kCellUid)) return kCellUid;
  // The highest id of both maps is the last of an extent of one of them, or the highest that we would take.
  std::uint64_t best = 0;
  for (const auto* maps : {&uids, &gids}) {
    for (const Extent& extent : *maps) {
      const std::uint64_t last = std::min<std::uint64_t>(extent.end - 1, kHighestElsewhere);
      if (last > best && holds(uids, last) && holds(gids, last)) best = last;
    }
  }
  return static_cast<unsigned>(best);
}

unsigned cell_id(int proc) { return cell_id_in(read_all(proc, "self/uid_map"), read_all(proc, "self/gid_map")); }

}  // namespace pyisolate
