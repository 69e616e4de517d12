// What pyisolate-try-landlock tries. An operation is its name and a path, or its name, family (4, 6) and port.
#pragma once

#include <string>
#include <vector>

// Its errno, 0 if it was done. `execute` is done with ENOEXEC: what it is tried on is no program.
int try_operation(const std::vector<std::string>& operation);

// Ends the process where it can't.
void prepare_operation(const std::vector<std::string>& operation);
void clear_operation(const std::vector<std::string>& operation);
