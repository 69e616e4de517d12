export const policyReloadHelp = `usage: pyisolate policy reload FILE --socket PATH [--token-file FILE] [--sandbox NAME]... [--json]
       pyisolate policy sign FILE --key FILE --revision N [--out FILE]

  reload   puts a policy in force in a running supervisor, through its control socket. FILE is a path (with a / or a .
           at its start), which is checked here and sent with all that it extends, or a template's name.
  sign     signs a policy that a supervisor is to take from a URL, and writes FILE.sig; serve both. It may extend
           templates only.

  --socket PATH      where the supervisor listens
  --token-file FILE  the token, in a file that others can't read; default: the variable PYISOLATE_TOKEN
  --sandbox NAME     for this sandbox alone; may be repeated. Default: all of them
  --json             the supervisor's answer as JSON
  --key FILE         an Ed25519 private key in PEM, in a file that others can't read (openssl genpkey -algorithm ed25519)
  --revision N       above that of every document that was ever served under this URL
  --out FILE         in place of FILE.sig
  -h, --help

exit code: 0 when it is done; 1 when the policy, the token or the supervisor says no; 2 for wrong usage; 125 when nobody
answers at PATH
`
