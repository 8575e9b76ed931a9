// {signature}, which would write it anew: keep requests of your own in another file beside it (below).
//
//     k6 run -e TARGET=https://test.example.com FILE
//
// k6 starts an iteration whenever the rate asks for one, however long answers take, as long as a virtual user is free: one
// for each request that is under way. What it has to drop is a failure from 5 % on.{filled}
//
// A file with requests of your own, if this one is called launch.js (where an iteration of theirs asks for more than one
// thing, the targets are to be divided by how many):
//
//     import { options } from './launch.js';
//     export { options };
//     export default function () { /* yours */ }

import http from 'k6/http';

export const SHAPE = {shape};

export const scenario = {
  executor: 'ramping-arrival-rate',
  // The unit of targets: requests per minute, in a straight line from one to the next.
  timeUnit: '1m',
  startRate: {start_rate},
  preAllocatedVUs: {usual_users},
  maxVUs: {most_users},
  stages: [
{stages}
  ],
};

export const options = {
  scenarios: { traffic: scenario },
  discardResponseBodies: true,
  thresholds: { dropped_iterations: ['count<={most_dropped}'] },
};

export function setup() {
  if (!__ENV.TARGET) {
    throw new Error('say what to test: k6 run -e TARGET=https://test.example.com FILE');
  }
}

export default function () {
  http.get(`${__ENV.TARGET}/`);
}
