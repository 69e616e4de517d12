/**
 * The broker table, version 1: what the broker's threads decide by. Little endian; offsets count from its first byte.
 *
 * header, 64 bytes: u32 magic; u16 version; u16 flags; u32 bytes in all; for files, nets, unixes, names and views u32
 * count, u32 offset; u32 offset and u32 bytes of the strings; u32 offset of the contracts, 0 without any. Records have fixed sizes and name strings by offset
 * and length (UTF-8, no NUL behind). A path's root folder is the empty string, so that the ancestors of `/a/b` are
 * `/a/b`, `/a` and the empty one.
 *
 * file: u32 path, u16 its bytes, u8 operations, u8 flags, u32 rule, u32 0; sorted by path, then by rule
 * net: u8 operations, u8 flags, u8 protocol, u8 family (4, 6; 0 by name), u8 prefix bits, u8[3] 0, u16 first and last port,
 *   u8[16] address (IPv4 in the first four), u32 name, u16 its bytes, u16 0, u32 rule
 * unix: as file, of socket operations; an abstract one's path is its name
 * name: u32 name, u16 its bytes, u16 0, u32 rule
 * view: u32 guest path, u16 its bytes, u16 0, u32 host path, u16 its bytes, u16 0; what is inside another first
 */
export const magic = 0x5442_5950 // "PYBT"
export const version = 1
export const headerBytes = 64
/** Of the header: decide and report, but perform the operation whatever was decided. */
export const logOnlyFlag = 1

/** In the order of the header's counts and offsets. */
export const tableNames = ['files', 'nets', 'unixes', 'names', 'views'] as const
export type TableName = (typeof tableNames)[number]
export const recordBytes: Readonly<Record<TableName, number>> = {
  files: 16,
  nets: 40,
  unixes: 16,
  names: 12,
  views: 16,
}

/** Where in the header each has its count, the offset behind it. */
export function countAt(name: TableName): number {
  return 12 + 8 * tableNames.indexOf(name)
}
export const stringsAt = 52
/** u32: where the contracts are (contract-section.ts), 0 without any. */
export const contractsAt = 60

/** Of records. */
export const subtreeFlag = 1
export const denyFlag = 2
export const abstractFlag = 4
