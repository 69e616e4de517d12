#pragma once

#include <string_view>

namespace pyisolate::probe {

// The id of a function in the kernel's own BTF; 0 when there is none, -errno when the BTF can't be read.
int kernel_function_id(std::string_view name);

}  // namespace pyisolate::probe
