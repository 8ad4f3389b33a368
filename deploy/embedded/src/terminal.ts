/** The terminal: lines above, one progress bar below them where there is a terminal to draw on. */
import type { Progress } from '@driftloop/flights';

export class Terminal {
  private bar = '';
  private began = performance.now();
  private askedBefore: number | undefined;

  constructor(private readonly out: NodeJS.WriteStream = process.stdout) {}

  /** Writes a line above the bar. */
  line(text: string): void {
    this.clear();
    this.out.write(`${text}\n`);
    this.draw();
  }

  /** Moves the bar. */
  progress({ now, asked, questions }: Progress): void {
    this.askedBefore ??= asked;
    const share = questions ? asked / questions : 0;
    const seconds = (performance.now() - this.began) / 1000;
    const rate = Math.round((asked - this.askedBefore) / Math.max(seconds, 1e-3));
    const filled = Math.round(share * 30);
    const day = new Date(now).toISOString().slice(0, 10);
    this.bar = `[${'█'.repeat(filled)}${'·'.repeat(30 - filled)}] ${day}  ${(share * 100).toFixed(0).padStart(3)}%  ${asked.toLocaleString('en')} departures  ${rate.toLocaleString('en')}/s`;
    this.clear();
    this.draw();
  }

  /** Takes the bar away. */
  finish(): void {
    this.clear();
    this.bar = '';
  }

  private clear(): void {
    if (this.out.isTTY && this.bar) this.out.write('\r\x1b[2K');
  }

  private draw(): void {
    if (this.out.isTTY && this.bar) this.out.write(this.bar.slice(0, (this.out.columns ?? 80) - 1));
  }
}
