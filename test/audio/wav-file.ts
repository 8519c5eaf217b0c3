/** WAV files on the spot. */

export interface WavFormat {
  readonly bits?: number;
  readonly float?: boolean;
  readonly channels?: number;
  readonly rate?: number;
  readonly extensible?: boolean;
  /** Bytes of a chunk in front of the data. */
  readonly extra?: number;
  /** What the data chunk says its size is. */
  readonly claims?: number;
}

/** A file of samples from -1 to 1, channels in turn. */
export function wavFile(samples: ArrayLike<number>, format: WavFormat = {}): Uint8Array {
  const { bits = 16, float = false, channels = 1, rate = 16000, extensible = false, extra = 0 } = format;
  const tag = float ? 3 : 1;
  const data = Buffer.alloc((samples.length * bits) / 8);
  for (const [i, x] of Array.from(samples).entries()) {
    const at = (i * bits) / 8;
    if (float) bits === 32 ? data.writeFloatLE(x, at) : data.writeDoubleLE(x, at);
    else if (bits === 8) data.writeUInt8(Math.round(x * 128) + 128, at);
    else data.writeIntLE(Math.round(x * 2 ** (bits - 1)), at, bits / 8);
  }
  const fmt = Buffer.alloc(extensible ? 40 : 16);
  fmt.writeUInt16LE(extensible ? 0xfffe : tag, 0);
  fmt.writeUInt16LE(channels, 2);
  fmt.writeUInt32LE(rate, 4);
  fmt.writeUInt32LE((rate * channels * bits) / 8, 8);
  fmt.writeUInt16LE((channels * bits) / 8, 12);
  fmt.writeUInt16LE(bits, 14);
  if (extensible) fmt.writeUInt16LE(tag, 24);
  const chunk = (name: string, body: Buffer, size = body.length): Buffer => {
    const head = Buffer.alloc(8);
    head.write(name, 'latin1');
    head.writeUInt32LE(size, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const chunks = [
    chunk('fmt ', fmt),
    ...(extra > 0 ? [chunk('LIST', Buffer.alloc(extra))] : []),
    chunk('data', data, format.claims),
  ];
  return Buffer.concat([chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]))]);
}
