export const learnHelp = `usage: pyisolate policy learn [-o FILE] SCRIPT|- [-- ARGUMENT...]

Runs a Python program without enforcing a policy on files and sockets, watches what it does with them, and prints the
least policy that would have allowed it: exact paths, addresses, and names where it resolved them. Read it before you use
it, and widen it by hand (/data/** for a folder).

For programs that you trust: it does all it does with your own rights on files and network. Its output goes to stderr, or
with -o to stdout.

  -o, --out FILE    in place of stdout
  -h, --help

exit code: 0 when it ran to its end, 1 when it raised; 2 for wrong usage; 125 when it could not be run
`
