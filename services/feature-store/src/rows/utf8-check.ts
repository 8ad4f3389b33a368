/** Whether bytes are UTF-8, one at a time: which may follow is a matter of the one before (RFC 3629, section 4). */
export class Utf8Check {
  private left = 0;
  private least = 0x80;
  private most = 0xbf;

  /** False where this byte cannot stand here; the next one is taken as a beginning. */
  take(byte: number): boolean {
    if (this.left === 0) return byte < 0x80 || this.begin(byte);
    const fits = byte >= this.least && byte <= this.most;
    this.left = fits ? this.left - 1 : 0;
    this.expect(0x80, 0xbf);
    return fits;
  }

  private begin(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte === 0xe0) this.expect(0xa0, 0xbf);
    if (byte === 0xed) this.expect(0x80, 0x9f);
    if (byte === 0xf0) this.expect(0x90, 0xbf);
    if (byte === 0xf4) this.expect(0x80, 0x8f);
    return true;
  }

  private expect(least: number, most: number): void {
    this.least = least;
    this.most = most;
  }
}
