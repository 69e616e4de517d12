// What limits refuse, told where it becomes an exception: whether the guest catches that or not.
#pragma once

#include "segment.h"

namespace pyisolate {

class Guest;

// The sandbox of the calling thread: the process's only one, or that of its interpreter. Null before there is one.
Guest* current_guest();

// From its own thread, as it begins to serve. Of a shared cell it lives as long as its account.
void become_current(Guest* guest);

// Counts one for the sandbox of the calling thread, if there is one. Keeps errno; takes no memory.
void note_refusal(Refused what) noexcept;

}  // namespace pyisolate
