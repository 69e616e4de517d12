import { Buffer } from 'node:buffer'
import { objectToTokens, Token, Type, type TypeEncoder } from 'cborg'
import { Tag, typedArrayTags } from './tags.js'

const maxUint64 = 2n ** 64n - 1n

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** Linear in the size, unlike shifting byte by byte. */
function magnitude(value: bigint): Uint8Array {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

function encodeBigInt(value: bigint): Token[] | null {
  const positive = value >= 0n
  const argument = positive ? value : -1n - value
  if (argument <= maxUint64) return null // a plain integer
  return [
    new Token(Type.tag, positive ? Tag.positiveBignum : Tag.negativeBignum),
    new Token(Type.bytes, magnitude(argument)),
  ]
}

function encodeDate(value: Date): Token[] {
  const seconds = value.getTime() / 1000
  const whole = Number.isInteger(seconds)
  const type = !whole ? Type.float : seconds < 0 ? Type.negint : Type.uint
  // -0 can't be a Date's time, so a whole number of seconds is an integer as it stands.
  return [new Token(Type.tag, Tag.date), new Token(type, seconds)]
}

/** Where our mapping differs from cborg's own; the values have been inspected. `null` leaves it to cborg. */
export const typeEncoders: Record<string, TypeEncoder> = {
  undefined: () => new Token(Type.null, null),
  number: (value: number) => (Object.is(value, -0) ? new Token(Type.float, value) : null),
  bigint: encodeBigInt,
  Date: encodeDate,
  Set: (value: Set<unknown>, _type, options, references) => [
    new Token(Type.tag, Tag.set),
    objectToTokens([...value], options, references),
  ],
  ArrayBuffer: (value: ArrayBuffer) => new Token(Type.bytes, new Uint8Array(value)),
  SharedArrayBuffer: (value: SharedArrayBuffer) => new Token(Type.bytes, new Uint8Array(value).slice()),
  DataView: (value: DataView) => new Token(Type.bytes, bytesOf(value)),
  Uint8ClampedArray: (value: Uint8ClampedArray) => new Token(Type.bytes, bytesOf(value)),
}

for (const [tag, { name }] of typedArrayTags) {
  // A Uint8Array (every Buffer is one) is `bytes`, not an array of numbers.
  if (name === 'Uint8Array') continue
  typeEncoders[name] = (value: ArrayBufferView) => [new Token(Type.tag, tag), new Token(Type.bytes, bytesOf(value))]
}
