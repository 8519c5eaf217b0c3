/** The values of the few keys that were asked for last. */
export class Recent<Value extends object> {
  private readonly limit: number;
  private readonly values = new Map<string, Value>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** The value of the key, made unless it is still there. */
  get(key: string, make: () => Value): Value {
    const value = this.values.get(key) ?? make();
    this.values.delete(key);
    this.values.set(key, value);
    for (const oldest of this.values.keys()) {
      if (this.values.size <= this.limit) break;
      this.values.delete(oldest);
    }
    return value;
  }

  forget(key: string): void {
    this.values.delete(key);
  }
}
