// `pyisolate-engine probe`: what this host's kernel lets the engine have, found out by trying each thing in a
// throw-away process, and how this executable was built. Printed as one JSON object on stdout.
#pragma once

namespace pyisolate {

int probe_main(int argc, char** argv);

}  // namespace pyisolate
