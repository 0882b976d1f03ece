import { ConnectionFault } from './errors';
import { defaultWindow, maxMaxFrameSize, maxWindow, minMaxFrameSize, settingIds } from './frames/constants';

/** What the peer announced (RFC 9113 §6.5.2), defaults until it did. */
export class PeerSettings {
  /** A SETTINGS frame has come. */
  isKnown = false;
  headerTableSize = 4096;
  maxConcurrentStreams = Number.POSITIVE_INFINITY;
  initialWindow: number = defaultWindow;
  maxFrameSize: number = minMaxFrameSize;

  /**
   * Reads the payload of a SETTINGS frame. `changed` is called for each setting, in order, since a table size may change twice
   * in one frame and both count.
   */
  read(bytes: Buffer, start: number, end: number, fromServer: boolean, changed: (id: number) => void): void {
    if ((end - start) % 6 !== 0) throw new ConnectionFault('FRAME_SIZE_ERROR', 'SETTINGS length');
    this.isKnown = true;
    for (let at = start; at < end; at += 6) {
      const id = bytes.readUInt16BE(at);
      this.#set(id, bytes.readUInt32BE(at + 2), fromServer);
      changed(id);
    }
  }

  #set(id: number, value: number, fromServer: boolean): void {
    switch (id) {
      case settingIds.HEADER_TABLE_SIZE:
        this.headerTableSize = value;
        break;
      case settingIds.ENABLE_PUSH:
        if (value > (fromServer ? 0 : 1)) throw new ConnectionFault('PROTOCOL_ERROR', 'ENABLE_PUSH');
        break;
      case settingIds.MAX_CONCURRENT_STREAMS:
        this.maxConcurrentStreams = value;
        break;
      case settingIds.INITIAL_WINDOW_SIZE:
        if (value > maxWindow) throw new ConnectionFault('FLOW_CONTROL_ERROR', 'INITIAL_WINDOW_SIZE');
        this.initialWindow = value;
        break;
      case settingIds.MAX_FRAME_SIZE:
        if (value < minMaxFrameSize || value > maxMaxFrameSize)
          throw new ConnectionFault('PROTOCOL_ERROR', 'MAX_FRAME_SIZE');
        this.maxFrameSize = value;
        break;
      default: // §6.5.2: unknown settings are ignored
    }
  }
}
