export const policyHelp = `usage: pyisolate policy check FILE...
       pyisolate policy explain FILE OPERATION SUBJECT [--address A] [--stdlib FOLDER] [--tmp FOLDER] [--json]
       pyisolate policy compile FILE [--target TARGET] [--stdlib FOLDER] [--tmp FOLDER]
       pyisolate policy learn | reload | sign --help

FILE is a path (with a / or a . at its start) or a template's name: stdlib.readonly, compute, ml, web_scraper,
data_pipeline, example.

  check      reads each FILE, or says what is wrong with it, and where
  explain    whether it allows an operation, and the line that decides
  compile    what an enforcer reads, as JSON
  learn      the least policy that a program needs, by running it
  reload     puts a policy in force in a running supervisor
  sign       signs a policy that is served under a URL

Operations, each with its subject:
  read | write | exec     /path, absolute, links resolved
  connect | bind | sendto tcp://192.0.2.1:443, udp://[2001:db8::1]:53, unix:///path, unix://@name; a name in place of
                          an address needs --address, what it leads to; to bind to port 0 has the kernel choose one
  resolve                 a host name
  import                  a Python module
  syscall                 a system call's name

Targets:
  ir (default)            the one representation that all others are made of
  broker                  the broker's table, record by record, with its size and digest
  landlock                what is allowed by folder and port, and which rules Landlock alone doesn't hold
  seccomp                 system calls beside the profile, and out of it
  bpf                     contents of BPF maps
  limits                  rlimits, files of control groups, what the supervisor counts
  audit                   what the guest's audit hook is told

  --stdlib, --tmp FOLDER  what $STDLIB and $TMP stand for; rules on one that isn't given are left out
  --json                  the answer as JSON
  -h, --help

exit code: 0 when all is well, or allowed; 1 when it isn't; 2 for wrong usage
`
