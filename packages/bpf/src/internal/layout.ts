/**
 * The structs of src/bpf/layout.h: `[offset, bytes]` of each field, all of it little endian. A test holds them to the
 * types in the compiled objects.
 */
export const layouts = {
  pyi_task: {
    bytes: 128,
    fields: {
      sandbox: [0, 8],
      policy_slot: [8, 4],
      flags: [12, 4],
      started_ns: [16, 8],
      opens: [24, 8],
      connects: [32, 8],
      sends: [40, 8],
      bytes_sent: [48, 8],
      bytes_received: [56, 8],
      elapsed_ms: [64, 8],
      writes: [72, 8],
      dst_port: [80, 8],
      size: [88, 8],
      path_bits: [96, 8],
      dst_addr: [104, 16],
      dst_family: [120, 4],
      index: [124, 4],
    },
  },
  pyi_sandbox: {
    bytes: 104,
    fields: {
      active: [0, 8],
      id: [8, 8],
      started_ns: [16, 8],
      opens: [24, 8],
      connects: [32, 8],
      sends: [40, 8],
      bytes_sent: [48, 8],
      bytes_received: [56, 8],
      denied: [64, 8],
      second: [72, 8],
      events: [80, 8],
      lost: [88, 8],
      unreported: [96, 8],
    },
  },
  pyi_rate: { bytes: 16, fields: { bytes_per_second: [0, 8], burst_ns: [8, 8] } },
  pyi_usage: { bytes: 24, fields: { paid_until_ns: [0, 8], bytes: [8, 8], dropped: [16, 8] } },
  pyi_meter: { bytes: 40, fields: { rate: [0, 16], usage: [16, 24] } },
  pyi_group: {
    bytes: 96,
    fields: { sandbox: [0, 8], index: [8, 4], zero: [12, 4], in: [16, 40], out: [56, 40] },
  },
  pyi_socket: { bytes: 16, fields: { sandbox: [0, 8], index: [8, 4], zero: [12, 4] } },
  pyi_bandwidth: { bytes: 40, fields: { sandbox: [0, 8], in: [8, 16], out: [24, 16] } },
  pyi_notice: { bytes: 16, fields: { told_ns: [0, 8], untold: [8, 8] } },
  pyi_traffic: { bytes: 80, fields: { in: [0, 24], out: [24, 24], in_notice: [48, 16], out_notice: [64, 16] } },
  pyi_policy: {
    bytes: 16,
    fields: { flags: [0, 4], contract_hooks: [4, 4], net_rules: [8, 4], zero: [12, 4] },
  },
  pyi_file_key: { bytes: 16, fields: { slot: [0, 4], dev: [4, 4], ino: [8, 8] } },
  pyi_file_rules: {
    bytes: 80,
    fields: {
      allow_itself: [0, 24],
      allow_below: [24, 24],
      deny_itself: [48, 8],
      deny_below: [56, 8],
      bits_itself: [64, 8],
      bits_below: [72, 8],
    },
  },
  pyi_net_rule: {
    bytes: 48,
    fields: {
      address: [0, 16],
      mask: [16, 16],
      ops: [32, 1],
      deny: [33, 1],
      protocol: [34, 1],
      family: [35, 1],
      port_from: [36, 2],
      port_to: [38, 2],
      rule: [40, 4],
      zero: [44, 4],
    },
  },
  pyi_abstract_key: { bytes: 116, fields: { slot: [0, 4], bytes: [4, 4], name: [8, 108] } },
  pyi_abstract_rules: { bytes: 16, fields: { allow: [0, 12], deny: [12, 4] } },
  pyi_address: {
    bytes: 24,
    fields: { family: [0, 1], protocol: [1, 1], port: [2, 2], af: [4, 2], zero: [6, 2], address: [8, 16] },
  },
  pyi_event: {
    bytes: 296,
    fields: {
      kind: [0, 4],
      rule: [4, 4],
      sandbox: [8, 8],
      operation: [16, 4],
      error: [20, 4],
      policy_generation: [24, 4],
      lost: [28, 4],
      ktime_ns: [32, 8],
      object: [40, 256],
    },
  },
  pyi_limit_event: { bytes: 24, fields: { kind: [0, 4], out: [4, 4], sandbox: [8, 8], lost: [16, 8] } },
  pyi_contract_event: {
    bytes: 32,
    fields: { kind: [0, 4], contract: [4, 4], sandbox: [8, 8], hook: [16, 4], action: [20, 4], zero: [24, 8] },
  },
} as const satisfies Readonly<
  Record<string, { bytes: number; fields: Readonly<Record<string, readonly [offset: number, bytes: number]>> }>
>

type Layouts = typeof layouts
type Struct = keyof Layouts
type Value = number | bigint | Uint8Array

/** The bytes of a struct; what isn't given is zero. */
export function encode<Name extends Struct>(
  name: Name,
  values: { readonly [Field in keyof Layouts[Name]['fields']]?: Value },
): Buffer {
  const layout: { bytes: number; fields: Readonly<Record<string, readonly [number, number]>> } = layouts[name]
  const bytes = Buffer.alloc(layout.bytes)
  for (const [field, value] of Object.entries(values) as [string, Value][]) {
    const [offset, size] = layout.fields[field]!
    if (value instanceof Uint8Array) {
      if (value.byteLength > size) throw new RangeError(`${name}.${field}: ${value.byteLength} bytes, ${size} at most`)
      bytes.set(value, offset)
    } else if (size === 8) bytes.writeBigUInt64LE(BigInt(value), offset)
    else bytes.writeUIntLE(Number(value), offset, size)
  }
  return bytes
}

/** One number of a struct. */
export function decode<Name extends Struct>(
  name: Name,
  bytes: Buffer,
  field: keyof Layouts[Name]['fields'] & string,
): bigint {
  const layout: { fields: Readonly<Record<string, readonly [number, number]>> } = layouts[name]
  const [offset, size] = layout.fields[field]!
  return size === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUIntLE(offset, size))
}

/** As many little endian 32-bit numbers. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => {
    bytes.writeUInt32LE(value >>> 0, i * 4)
  })
  return bytes
}

export const noRule = 0xffff_ffff
export const slotCount = 256
export const sandboxCount = 4096
export const mostNetRules = 128
