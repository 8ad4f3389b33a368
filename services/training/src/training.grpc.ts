/** Training's front door: what jobs there are and how they are; decides nothing. */
import type {
  GetJobRequest,
  Job,
  ListJobsReply,
  ListJobsRequest,
  SimulateReply,
  SimulateRequest,
} from '@driftloop/contracts';
import { callerOf } from '@driftloop/service';
import type { Metadata } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Observable } from 'rxjs';
import { errors } from './errors.js';
import { Simulations } from './simulation/simulations.js';
import { type JobDocument, TrainingDocuments } from './training.documents.js';

@Controller()
export class TrainingDoor {
  constructor(
    private readonly documents: TrainingDocuments,
    private readonly simulations: Simulations,
  ) {}

  @GrpcMethod('Training', 'GetJob')
  async getJob({ jobId }: GetJobRequest, metadata: Metadata): Promise<Job> {
    const job = await this.documents.job(jobId);
    if (job?.tenant !== callerOf(metadata).tenant) throw errors.UNKNOWN_JOB({ jobId });
    return shown(job);
  }

  /** Newest first; of every model where none is named. Throws UNKNOWN_MODEL. */
  @GrpcMethod('Training', 'ListJobs')
  async listJobs({ model }: ListJobsRequest, metadata: Metadata): Promise<ListJobsReply> {
    const { tenant } = callerOf(metadata);
    if (model && !(await this.documents.newestSpec(tenant, model))) throw errors.UNKNOWN_MODEL({ model });
    const jobs = await this.documents.jobs.find({ tenant, ...(model && { model }) }).lean<JobDocument[]>();
    return { jobs: jobs.sort((a, b) => b.due.getTime() - a.due.getTime()).map(shown) };
  }

  /** Ends when the caller hangs up. */
  @GrpcMethod('Training', 'Simulate')
  simulate(request: SimulateRequest, metadata: Metadata): Observable<SimulateReply> {
    const { tenant } = callerOf(metadata);
    return new Observable((replies) => {
      const hungUp = new AbortController();
      this.simulations
        .run(tenant, request, (reply) => replies.next(reply), hungUp.signal)
        .then(
          () => replies.complete(),
          (error: unknown) => replies.error(error),
        );
      return () => hungUp.abort(new Error('the caller hung up'));
    });
  }
}

function shown(job: JobDocument): Job {
  const { _id: jobId, model, cycleId, state, fence: attempt, due, purpose, progress, failure, seconds } = job;
  const error = failure ? `${failure.code}: ${failure.reason}` : '';
  return { jobId, model, cycleId, state, attempt, due, purpose, progress, error, seconds };
}
