#pragma once

namespace pyisolate {

// `pyisolate-engine filter [--broker files-and-sockets] [--allow-call NAME] [--deny-call NAME]`: the filters that a
// cell with a pid namespace of its own gets, as JSON with their instructions (struct sock_filter) in hex. Installs
// nothing.
int print_filters(int argc, char** argv);

}  // namespace pyisolate
