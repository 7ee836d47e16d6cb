// The process's allocator, set for calls with bodies of some hundred kilobytes on many threads.
#pragma once

namespace muster::http {

// glibc gives blocks of that size back to the kernel with every call and takes the page faults for them again
// with the next, which costs more than the call itself; and it keeps up to eight heaps for every processor it
// sees. Once, at the start of the program, before other threads run.
void tune_allocator();

}  // namespace muster::http
