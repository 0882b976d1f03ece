/** A bar that is written over and over, and at last wiped away. */
export interface ProgressBar {
  /** @param share 0 … 1 */
  show(share: number, what: string): void;
  clear(): void;
}

const width = 30;

/** A bar on a terminal. */
export function progressBar(write: (text: string) => void): ProgressBar {
  let shown = false;
  return {
    show(share, what) {
      shown = true;
      const full = Math.round(Math.min(1, share) * width);
      const percent = `${Math.floor(Math.min(1, share) * 100)}`.padStart(3);
      write(`\r\u001b[2K${'█'.repeat(full)}${'░'.repeat(width - full)} ${percent} % ${what}`);
    },
    clear() {
      if (shown) write('\r\u001b[2K');
    },
  };
}
