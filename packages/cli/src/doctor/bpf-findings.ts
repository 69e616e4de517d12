import type { KernelReport, Trial } from '@pyisolate/native'
import type { Finding, Found } from './finding.js'
import type { HostFiles } from './host-files.js'
import { why } from './trial.js'

/** All three by loading a program: what a kernel's configuration says and what its host allows are two things. */
export function bpfFindings(kernel: KernelReport, files: HostFiles): Finding[] {
  const { bpf, rights } = kernel
  const judge = (trial: Trial, remedy: string): Found => {
    if (trial.ok) return { state: 'ok', found: 'works' }
    if (trial.error !== 'EPERM' || rights.bpf) return { state: 'missing', found: why(trial), remedy }
    return {
      state: 'unknown',
      found: `can't be tried without privileges: ${why(trial)}`,
      remedy: 'run this as root, or with CAP_BPF, CAP_PERFMON and, for cgroups, CAP_NET_ADMIN',
    }
  }
  const refused = 'a host that lets root load such programs: no lockdown, and in a container CAP_BPF and CAP_PERFMON'
  const modules = files.text('/sys/kernel/security/lsm')
  // EOPNOTSUPP: the program was attached, and nothing came of it.
  const lsmRemedy =
    bpf.lsm.ok || bpf.lsm.error !== 'EOPNOTSUPP'
      ? `${refused}; kernel 5.7 or later with CONFIG_BPF_LSM and BTF`
      : `bpf in the lsm= boot parameter${modules === undefined ? '' : ` (now: ${modules})`}`
  return [
    {
      id: 'bpf',
      title: 'BPF',
      need: 'optional',
      gives: 'programs in the kernel: measuring, and the two below',
      ...judge(bpf.load, refused),
    },
    {
      id: 'bpf-cgroup',
      title: 'BPF on cgroups',
      need: 'optional',
      gives: 'connections by address, for each cgroup v2, and limits on bandwidth, kept by the kernel',
      ...judge(bpf.cgroup, refused),
    },
    {
      id: 'bpf-lsm',
      title: 'BPF LSM',
      need: 'optional',
      gives: 'policies that the kernel enforces for each thread, changed while it runs',
      ...judge(bpf.lsm, lsmRemedy),
    },
  ]
}
