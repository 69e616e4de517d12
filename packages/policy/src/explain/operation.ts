/** What a guest may try, as every enforcer sees it. */
export type Operation =
  | { readonly kind: 'read' | 'write' | 'exec' /** Absolute and normal, links resolved. */; readonly path: string }
  | {
      readonly kind: 'connect' | 'bind' | 'sendto'
      readonly protocol: 'tcp' | 'udp'
      /** Of the peer, or the own one to bind. */
      readonly address: string
      readonly port: number
      /** The name that the broker resolved to this address for the guest, if it did. */
      readonly name?: string
    }
  | { readonly kind: 'connect' | 'bind' | 'sendto'; readonly protocol: 'unix'; readonly path: string }
  | { readonly kind: 'connect' | 'bind' | 'sendto'; readonly protocol: 'unix'; readonly abstract: string }
  | { readonly kind: 'resolve'; readonly name: string }
  | { readonly kind: 'import'; readonly module: string }
  | { readonly kind: 'syscall' /** As the kernel names it on 64-bit machines. */; readonly name: string }
