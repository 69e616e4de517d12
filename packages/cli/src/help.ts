export const mainHelp = `usage: pyisolate <command> [options]

  run FILE|-   run a Python program in a confined sandbox
  doctor       what this host can enforce, what is missing and how to get it
  policy       check, explain and compile policies
  version      the version of this command
  help [command]
`

export const runHelp = `usage: pyisolate run [options] FILE|- [-- ARGUMENT...]

Runs a Python program (UTF-8; - reads it from standard input) in a sandbox. Its output comes as it is
printed; what it post()s is printed as a line of JSON. Arguments after -- become its sys.argv.

  --policy NAME         what it may do: stdlib.readonly (default), another template, or a file (./policy.yaml)
  --explain             says on stderr what it was denied, and the line of the policy to change
  --isolation KIND      process (default) or interpreter
  --cell NAME           the shared cell's name; implies --isolation interpreter
  --timeout TIME        running time: 5 (seconds), 250ms, 5s, 2min; default none
  --cpu TIME            CPU time of all threads; default none
  --memory SIZE         64M, 64MiB, 1G or bytes; default 256MiB
  --output SIZE         stdout and stderr together; default none
  --threads N           default 16
  --preload MODULE,...  modules imported before the sandbox is confined; may be repeated
  --json                every event is a line of JSON on stdout
  -h, --help

With --json, each line is one of
  {"stream":"stdout"|"stderr","text":...}     what it printed ("base64" for bytes that are not UTF-8)
  {"post":VALUE}                              what it posted
  {"denied":{"operation","object","rule",...}} with --explain, what it was denied
  {"error":{"type","message","traceback",...}} an exception that it did not catch
  {"outcome":{"kind",...,"message","exitCode"}} the last line

exit code
  0      it ran to its end
  n      it called sys.exit(n)
  1      an exception that it did not catch; the traceback is on stderr
  2      wrong usage, or FILE can't be read
  124    --timeout is over
  125    PyIsolate failed: the sandbox could not be started, or broke the protocol
  126    this host can't confine a sandbox: see pyisolate doctor
  127    the engine is not built or not installed
  128+n  it died of signal n. 130: interrupted; 137: out of --memory, or killed from outside;
         141: whoever read the output has gone; 152: out of --cpu; 153: more than --output

Ctrl-C raises KeyboardInterrupt in the program; a second one ends it.
`

export const doctorHelp = `usage: pyisolate doctor [--json]

Shows what of this host PyIsolate can use to confine sandboxes, found out by trying, and starts one.

  --json       the same as one JSON object
  -h, --help

exit code: 0 when a sandbox could be started, else 1; 2 for wrong usage
`

export { policyHelp } from './policy/help.js'
