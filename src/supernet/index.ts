/** Many networks of a search space trained in one set of weights. Needs Node. */
export {
  judgePart,
  networkOfGenome,
  partStates,
  type SupernetPlan,
  type TrainedSupernet,
  trainSupernet,
} from './train.ts';
