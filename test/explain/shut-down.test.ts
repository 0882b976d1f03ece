import { ExplainClient } from '../support/explain-client';
import { diabetesRequest } from '../support/explain-requests';
import { startShoal } from '../support/shoal';
import { eventually } from '../support/waiting';

test.each(['Explain', 'ExplainBatch'])(
  '%s: an explanation does not outlive its server: it ends UNAVAILABLE, and the server in time',
  async (call) => {
    const shoal = await startShoal({ models: { diabetes_mlp: {} } });
    const client = new ExplainClient(shoal.address);
    const inferences = async () => {
      const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name: 'diabetes_mlp' });
      return stats[0]?.inference_count ?? 0;
    };
    // Of so many evaluations, minutes are left.
    const failed = client.failure(call, diabetesRequest({ permutation: {}, budget: { max_evaluations: 1_000_000 } }));
    await eventually('it is under way', async () => (await inferences()) > 1000);
    const stopped = shoal.stop();
    const { code, details } = await failed;
    expect(code).toBe('UNAVAILABLE');
    expect(details).not.toBe('');
    await stopped;
    client.close();
  },
  60_000,
);
