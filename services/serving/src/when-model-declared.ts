/** Hears what models there are, each replica for itself. */
import { events, type ModelDeclared } from '@driftloop/contracts';
import { ConsumerGroup, When } from '@driftloop/service';
import { Following } from './following.js';

@ConsumerGroup('serving.when-model-declared')
export class WhenModelDeclared {
  constructor(private readonly following: Following) {}

  @When(events.modelDeclared, { each: 'replica' })
  async declare({ tenant, model, revision, specJson }: ModelDeclared): Promise<void> {
    await this.following.declare(tenant, model, revision, specJson);
  }
}
