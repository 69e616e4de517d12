// Functions of CPython's built-in modules that act on the whole process, and so on every sandbox of a
// shared cell.
#pragma once

namespace pyisolate {

// Makes them raise PermissionError in every interpreter of this process, existing and to come, however a
// guest gets hold of them: the modules' own method tables are changed. Native code can still make the
// system calls; what those reach ends at the cell. Thread: attached, before other threads exist.
// `own_directories`: each sandbox has a working directory of its own (brokered cells), so those calls stay.
void disable_process_switches(bool own_directories);

}  // namespace pyisolate
