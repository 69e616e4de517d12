/**
 * RFC 8949, Appendix A, table 6: every example of encoded CBOR data items, in its order.
 * `value`: what decoding gives. `refused`: part of the message, for items this mapping has no use for.
 * `encodes`: whether our encoder gives the same bytes back (we always send floats as float64).
 */
export interface Vector {
  readonly hex: string
  readonly value?: unknown
  readonly refused?: string
  readonly encodes?: boolean
}

const yes = (hex: string, value: unknown): Vector => ({ hex, value, encodes: true })
const read = (hex: string, value: unknown): Vector => ({ hex, value, encodes: false })
const no = (hex: string, refused: string): Vector => ({ hex, refused })

export const vectors: readonly Vector[] = [
  yes('00', 0),
  yes('01', 1),
  yes('0a', 10),
  yes('17', 23),
  yes('1818', 24),
  yes('1819', 25),
  yes('1864', 100),
  yes('1903e8', 1000),
  yes('1a000f4240', 1000000),
  yes('1b000000e8d4a51000', 1000000000000),
  yes('1bffffffffffffffff', 18446744073709551615n),
  yes('c249010000000000000000', 18446744073709551616n),
  yes('3bffffffffffffffff', -18446744073709551616n),
  yes('c349010000000000000000', -18446744073709551617n),
  yes('20', -1),
  yes('29', -10),
  yes('3863', -100),
  yes('3903e7', -1000),
  read('f90000', 0),
  read('f98000', -0),
  read('f93c00', 1),
  yes('fb3ff199999999999a', 1.1),
  read('f93e00', 1.5),
  read('f97bff', 65504),
  read('fa47c35000', 100000),
  read('fa7f7fffff', 3.4028234663852886e38),
  yes('fb7e37e43c8800759c', 1.0e300),
  read('f90001', 2 ** -24),
  read('f90400', 0.00006103515625),
  read('f9c400', -4),
  yes('fbc010666666666666', -4.1),
  read('f97c00', Number.POSITIVE_INFINITY),
  read('f97e00', Number.NaN),
  read('f9fc00', Number.NEGATIVE_INFINITY),
  read('fa7f800000', Number.POSITIVE_INFINITY),
  read('fa7fc00000', Number.NaN),
  read('faff800000', Number.NEGATIVE_INFINITY),
  yes('fb7ff0000000000000', Number.POSITIVE_INFINITY),
  yes('fb7ff8000000000000', Number.NaN),
  yes('fbfff0000000000000', Number.NEGATIVE_INFINITY),
  yes('f4', false),
  yes('f5', true),
  yes('f6', null),
  read('f7', null),
  no('f0', 'simple value'),
  no('f8ff', 'simple value'),
  no('c074323031332d30332d32315432303a30343a30305a', 'tag 0'),
  yes('c11a514b67b0', new Date('2013-03-21T20:04:00Z')),
  yes('c1fb41d452d9ec200000', new Date('2013-03-21T20:04:00.500Z')),
  no('d74401020304', 'tag 23'),
  no('d818456449455446', 'tag 24'),
  no('d82076687474703a2f2f7777772e6578616d706c652e636f6d', 'tag 32'),
  yes('40', new Uint8Array()),
  yes('4401020304', Uint8Array.of(1, 2, 3, 4)),
  yes('60', ''),
  yes('6161', 'a'),
  yes('6449455446', 'IETF'),
  yes('62225c', '"\\'),
  yes('62c3bc', '\u00fc'),
  yes('63e6b0b4', '\u6c34'),
  yes('64f0908591', '\ud800\udd51'),
  yes('80', []),
  yes('83010203', [1, 2, 3]),
  yes('8301820203820405', [1, [2, 3], [4, 5]]),
  yes(
    '98190102030405060708090a0b0c0d0e0f101112131415161718181819',
    Array.from({ length: 25 }, (_, index) => index + 1),
  ),
  yes('a0', {}),
  yes(
    'a201020304',
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ),
  yes('a26161016162820203', { a: 1, b: [2, 3] }),
  yes('826161a161626163', ['a', { b: 'c' }]),
  yes('a56161614161626142616361436164614461656145', { a: 'A', b: 'B', c: 'C', d: 'D', e: 'E' }),
  no('5f42010243030405ff', 'indefinite'),
  no('7f657374726561646d696e67ff', 'indefinite'),
  no('9fff', 'indefinite'),
  no('9f018202039f0405ffff', 'indefinite'),
  no('9f01820203820405ff', 'indefinite'),
  no('83018202039f0405ff', 'indefinite'),
  no('83019f0203ff820405', 'indefinite'),
  no('9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff', 'indefinite'),
  no('bf61610161629f0203ffff', 'indefinite'),
  no('826161bf61626163ff', 'indefinite'),
  no('bf6346756ef563416d7421ff', 'indefinite'),
]
