// pyisolate-engine: started by a supervisor, never by hand.
#include <cstdio>
#include <cstring>

#include "confine/print_filters.h"
#include "probe/probe.h"
#include "zygote/zygote.h"

int main(int argc, char** argv) {
  if (argc >= 2 && std::strcmp(argv[1], "zygote") == 0) return pyisolate::run_zygote(argc - 2, argv + 2);
  if (argc >= 2 && std::strcmp(argv[1], "probe") == 0) return pyisolate::probe_main(argc - 1, argv + 1);
  if (argc >= 2 && std::strcmp(argv[1], "filter") == 0) return pyisolate::print_filters(argc - 2, argv + 2);
  std::fputs("pyisolate-engine: the engine of PyIsolate, started by its supervisor. Use `pyisolate run FILE`.\n",
             stderr);
  return 64;
}
