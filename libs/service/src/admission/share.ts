/** Places of which a caller may have a share: streams that are open, calls that wait for the world. */
export class Shared {
  #taken = 0;
  readonly #byCaller = new Map<string, number>();

  constructor(
    readonly places: number,
    private readonly share: number,
  ) {}

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place, and says how to give it back; undefined where there is none, or none for this caller. */
  take(caller: string): (() => void) | undefined {
    const own = this.#byCaller.get(caller) ?? 0;
    if (this.#taken >= this.places || own >= Math.max(1, Math.floor(this.places * this.share))) return undefined;
    this.#taken++;
    this.#byCaller.set(caller, own + 1);
    let given = false;
    return () => {
      if (!given) this.#give(caller);
      given = true;
    };
  }

  #give(caller: string): void {
    this.#taken--;
    const left = this.#byCaller.get(caller)! - 1;
    if (left > 0) this.#byCaller.set(caller, left);
    else this.#byCaller.delete(caller);
  }
}
