/** Policies as the maps take them; the types are where the packages meet. */
export {
  type HookName,
  hookNames,
  type KernelContract as BpfContract,
  type KernelFileRule as BpfFileRule,
  type KernelNetRule as BpfNetRule,
  type KernelPolicy as BpfPolicy,
  type KernelUnixRule as BpfUnixRule,
  type Unenforced,
} from '@pyisolate/interface'
