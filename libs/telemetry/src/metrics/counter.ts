/** A number that only grows. */
export class Counter {
  value = 0;

  add(amount: number): void {
    this.value += amount;
  }
}
