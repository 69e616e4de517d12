#include "names.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "paths.h"

namespace pyisolate::broker {
namespace {

bool may_write(const Call& call, const std::string& path) {
  return call.permits(call.table().file(path, kWrite), Operation::write, path);
}

// A file that comes under another name comes under that name's rules: they may not allow more than those it had.
bool keeps_rights(const Call& call, const std::string& from, const std::string& to) {
  for (const FileOp op : {kRead, kWrite}) {
    if (!call.table().file(to, op).allowed) continue;
    const Operation operation = op == kRead ? Operation::read : Operation::write;
    if (!call.permits(call.table().file(from, op), operation, from)) return false;
  }
  return true;
}

// A folder takes with it what is below: no rule may be about that.
bool moves_alone(const Call& call, const Entry& entry, const struct stat& info) {
  if (!S_ISDIR(info.st_mode) || !call.table().ruled_below(entry.path)) return true;
  return call.permits({}, Operation::write, entry.path);
}

bool upholds(const Call& call, Hook hook, const std::string& path) {
  ContractTask facts{};
  facts.path_bits = call.table().contract_bits(path);
  return call.upholds(hook, Operation::write, path, facts);
}

Answer done(int result) { return result == 0 ? Answer{} : Answer::fail(errno); }

Answer rename(const Call& call, const Entry& from, const Entry& to, std::uint64_t flags) {
  if ((flags & ~std::uint64_t{RENAME_NOREPLACE}) != 0) return Answer::fail(EINVAL);
  if (!may_write(call, from.path) || !may_write(call, to.path) || !keeps_rights(call, from.path, to.path))
    return Answer::fail(EACCES);
  struct stat info;
  if (::fstatat(from.folder.get(), from.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return Answer::fail(errno);
  if (!moves_alone(call, from, info)) return Answer::fail(EACCES);
  if (::fstatat(to.folder.get(), to.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && !moves_alone(call, to, info))
    return Answer::fail(EACCES);
  if (!upholds(call, Hook::rename, from.path)) return Answer::fail(EPERM);
  return done(static_cast<int>(
      ::syscall(SYS_renameat2, from.folder.get(), from.name.c_str(), to.folder.get(), to.name.c_str(), flags)));
}

// Hard links: of what its guest may write already, or a second name would be a way around the first one's rules.
Answer link(const Call& call, const Entry& from, const Entry& to) {
  if (!may_write(call, from.path) || !may_write(call, to.path) || !keeps_rights(call, from.path, to.path))
    return Answer::fail(EACCES);
  return done(::linkat(from.folder.get(), from.name.c_str(), to.folder.get(), to.name.c_str(), 0));
}

Answer on_one(const Call& call, const Request& request) {
  const Entry entry = find_entry(call, request.folder, request.path);
  if (entry.error != 0) return Answer::fail(call.table().visible(entry.path) ? entry.error : EACCES);
  struct stat info;
  const bool there = ::fstatat(entry.folder.get(), entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (request.kind == Kind::mkdir && there && call.table().visible(entry.path)) return Answer::fail(EEXIST);
  if (request.kind != Kind::mkdir && !there && call.table().visible(entry.path)) return Answer::fail(ENOENT);
  if (!may_write(call, entry.path)) return Answer::fail(EACCES);
  if (!upholds(call, request.kind == Kind::mkdir ? Hook::mkdir : Hook::unlink, entry.path)) return Answer::fail(EPERM);
  const int folder = entry.folder.get();
  const char* name = entry.name.c_str();
  if (request.kind == Kind::mkdir) return done(::mkdirat(folder, name, request.mode & 0777));
  return done(::unlinkat(folder, name, request.kind == Kind::rmdir ? AT_REMOVEDIR : 0));
}

}  // namespace

Answer make_name_call(const Call& call, const Request& request) {
  if (request.kind == Kind::mkdir || request.kind == Kind::rmdir || request.kind == Kind::unlink)
    return on_one(call, request);
  const Entry to = find_entry(call, request.folder2, request.path2);
  if (to.error != 0) return Answer::fail(to.error == ENOENT || to.error == ENOTDIR ? ENOENT : to.error);
  if (request.kind == Kind::symlink) {
    // Where it leads is judged whenever somebody follows it.
    if (!may_write(call, to.path)) return Answer::fail(EACCES);
    return done(::symlinkat(request.path.c_str(), to.folder.get(), to.name.c_str()));
  }
  const Entry from = find_entry(call, request.folder, request.path);
  if (from.error != 0) return Answer::fail(from.error);
  return request.kind == Kind::rename ? rename(call, from, to, request.flags) : link(call, from, to);
}

}  // namespace pyisolate::broker
