/** What BullMQ says has happened to the jobs of a batch. */
import type { QueueEvents } from 'bullmq';

export class News {
  private readonly events: QueueEvents;
  private readonly concerns: (job: string) => boolean;
  private readonly done: string[] = [];
  private failure: { readonly job: string; readonly reason: string } | undefined;
  private wake = (): void => undefined;

  constructor(events: QueueEvents, concerns: (job: string) => boolean) {
    this.events = events;
    this.concerns = concerns;
    events.on('completed', this.onCompleted).on('failed', this.onFailed);
  }

  /** Waits for so many milliseconds, or less. @returns the jobs that have ended, and one that has failed */
  async next(limit: number) {
    if (this.done.length === 0 && this.failure === undefined) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        timer = setTimeout(resolve, limit);
      });
      clearTimeout(timer);
    }
    return { done: this.done.splice(0), failure: this.failure };
  }

  close(): void {
    this.events.off('completed', this.onCompleted).off('failed', this.onFailed);
  }

  private readonly onCompleted = ({ jobId }: { readonly jobId: string }): void => {
    if (!this.concerns(jobId)) return;
    this.done.push(jobId);
    this.wake();
  };

  private readonly onFailed = (event: { readonly jobId: string; readonly failedReason: string }): void => {
    if (!this.concerns(event.jobId)) return;
    this.failure ??= { job: event.jobId, reason: event.failedReason };
    this.wake();
  };
}
