// Calls that are in no cell's profile, and that Python has functions for: when one fails, the guest's own side says so.
// The kernel has refused it, and asks nobody.
#pragma once

namespace pyisolate {

// Puts a layer over these functions, in the tables that CPython makes its modules from; again where something else has
// been put there since. They alone are slower for it.
void tell_denied_calls();

}  // namespace pyisolate
