// Extension modules: what a preload may map into the zygote.
#pragma once

namespace pyisolate {

// Makes the current interpreter refuse extension modules with an ImportError, where this engine could not call
// them. False with an exception set. Needs an attached thread state.
bool refuse_extensions();

}  // namespace pyisolate
