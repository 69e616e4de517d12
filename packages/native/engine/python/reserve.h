// What is kept back of a sandbox's memory, so that one that holds all it may can still be told to let go: its requests
// are taken in and answered from it, its own code isn't run from it.
#pragma once

namespace pyisolate {

// Before there are cells: learns from then on when a process's memory is short.
void watch_memory();

// For the calling thread (of a process cell: for all of it). Open while a request is decoded, compiled or answered.
void open_reserve();
void close_reserve();

// Whether memory was refused to the calling thread's sandbox, or its process, since this was last asked.
bool memory_was_refused();

}  // namespace pyisolate
