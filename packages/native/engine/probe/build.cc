#include "build.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include "json.h"

namespace pyisolate::probe {
namespace {

struct Headers {
  bool position_independent = false;
  bool relro = false;
  bool bind_now = false;
  bool executable_stack = true;
};

// Of this executable, as the kernel mapped it.
Headers read_headers() {
  Headers headers;
  const auto* const first = reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR));
  const std::size_t count = getauxval(AT_PHNUM);
  if (first == nullptr) return headers;
  ElfW(Addr) base = 0;
  for (std::size_t i = 0; i < count; i++) {
    if (first[i].p_type == PT_PHDR) base = reinterpret_cast<ElfW(Addr)>(first) - first[i].p_vaddr;
  }
  headers.position_independent = base != 0;
  for (std::size_t i = 0; i < count; i++) {
    if (first[i].p_type == PT_GNU_RELRO) headers.relro = true;
    if (first[i].p_type == PT_GNU_STACK) headers.executable_stack = (first[i].p_flags & PF_X) != 0;
    if (first[i].p_type != PT_DYNAMIC) continue;
    for (auto* entry = reinterpret_cast<const ElfW(Dyn)*>(base + first[i].p_vaddr); entry->d_tag != DT_NULL; entry++) {
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_BIND_NOW) != 0) headers.bind_now = true;
      if (entry->d_tag == DT_FLAGS_1 && (entry->d_un.d_val & DF_1_NOW) != 0) headers.bind_now = true;
    }
  }
  return headers;
}

}  // namespace

std::string build_json() {
  const Headers headers = read_headers();
  Json json;
#ifdef PYISOLATE_PROFILE
  json.text("profile", PYISOLATE_PROFILE);
#endif
#if defined(__clang__)
  json.text("compiler", "clang " __clang_version__);
#else
  json.text("compiler", "gcc " __VERSION__);
#endif
  json.flag("pie", headers.position_independent);
  json.flag("relro", headers.relro);
  json.flag("bindNow", headers.bind_now);
  json.flag("executableStack", headers.executable_stack);
#if defined(__SSP_STRONG__) || defined(__SSP_ALL__)
  json.flag("stackProtector", true);
#else
  json.flag("stackProtector", false);
#endif
#if defined(__CET__) || defined(__ARM_FEATURE_BTI_DEFAULT)
  json.flag("branchProtection", true);
#else
  json.flag("branchProtection", false);
#endif
#ifdef __USE_FORTIFY_LEVEL
  json.number("fortify", __USE_FORTIFY_LEVEL);
#else
  json.number("fortify", 0);
#endif
#ifdef PYISOLATE_UNCONFINED
  json.flag("unconfined", true);
#endif
  return json.done();
}

}  // namespace pyisolate::probe
