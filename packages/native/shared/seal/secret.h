// A key and its counter, apart from whoever counts as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace pyisolate::seal {

inline constexpr std::size_t kKeyBytes = 32;

// Of the supervisor: from now on in memory that the kernel itself has no other way to, and so neither a debugger, an
// image nor root (memfd_secret(2), Linux 5.14; on by default since 6.5). Where it isn't granted, in pages of their own,
// which are in no core file (MADV_DONTDUMP, madvise(2)) and empty after a fork (MADV_WIPEONFORK, Linux 4.14).
void hide_secrets();

class Secret {
 public:
  // Throws CryptoFailure: without such pages there is no key.
  explicit Secret(std::span<const std::uint8_t, kKeyBytes> key);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&&) = delete;

  // Throws CryptoFailure in a process that was forked with it: there it is zeros.
  const std::uint8_t* key() const;
  // What the next text is sealed under; whoever seals moves it.
  std::uint64_t& counter() const;

 private:
  struct Slot;
  Slot* slot_;
};

}  // namespace pyisolate::seal
