// clone3(2) for a process that carries an initialised CPython.
#pragma once

namespace pyisolate {

// Like fork(2), but: the child is a sibling (CLONE_PARENT: our parent's child, so that our death doesn't
// disturb it), a pidfd is made, and `namespaces` (CLONE_NEW*) are new to it. Returns the pid, 0 in the child,
// -1 with errno. Only from a single-threaded process.
int fork_cell(unsigned long long namespaces, int& pidfd);

// Whether a child can be made with these namespaces at all.
bool can_clone(unsigned long long namespaces);

// Finds where the C library keeps a thread's id, so that children know theirs. Once, before the first fork,
// while no other thread runs.
void learn_thread_id_place();

}  // namespace pyisolate
