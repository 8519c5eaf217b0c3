export { hardSwish } from './hard-swish.ts';
export { leakyRelu, relu } from './rectifiers.ts';
export { logistic, tanh } from './sigmoids.ts';
