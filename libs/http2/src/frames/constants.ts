/** Frame types (RFC 9113 §6). */
export const frameTypes = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frame flags; ACK and END_STREAM share a bit. */
export const flags = {
  ACK: 0x1,
  END_STREAM: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** Identifiers of settings (RFC 9113 §6.5.2). */
export const settingIds = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

export const frameHeaderLength = 9;
/** Both the default and the smallest allowed SETTINGS_MAX_FRAME_SIZE. */
export const minMaxFrameSize = 16_384;
export const maxMaxFrameSize = 16_777_215;
/** SETTINGS_HEADER_TABLE_SIZE, until another one is known (RFC 9113 §6.5.2). */
export const defaultHeaderTable = 4096;
/** Flow-control windows start here and end at `maxWindow` (RFC 9113 §6.9). */
export const defaultWindow = 65_535;
export const maxWindow = 0x7fffffff;
/** Largest stream identifier. */
export const maxStreamId = 0x7fffffff;

/** What a client says first (RFC 9113 §3.4). */
export const clientPreface: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
