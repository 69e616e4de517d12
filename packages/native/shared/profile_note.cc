// Compiled into every binary of ours: an ELF note with the name of the build profile. It is the binary's own claim,
// present without section headers too; test/protections.test.ts holds the binary to it.
#include <cstdint>

namespace {

struct alignas(4) ProfileNote {
  std::uint32_t name_size = sizeof "pyisolate";
  std::uint32_t text_size = 16;
  std::uint32_t type = 1;
  char name[12] = "pyisolate";
  char text[16] = PYISOLATE_PROFILE;
};

[[gnu::section(".note.pyisolate"), gnu::used]] constexpr ProfileNote kNote{};

}  // namespace
