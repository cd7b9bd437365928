// Makes one replica set of the three mongods of compose.yaml, unless they are one already, and
// waits until it has a primary. mongosh runs this on the first mongod.
const hosts = ['mongo1:27017', 'mongo2:27017', 'mongo3:27017'];
const TRIES = 60; // one a second

try {
  rs.status();
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error;
  rs.initiate({ _id: 'rs0', members: hosts.map((host, n) => ({ _id: n, host })) });
}
for (let n = 0; n < TRIES; n++) {
  if (rs.status().members.some((member) => member.stateStr === 'PRIMARY')) quit(0);
  sleep(1000);
}
print('the replica set has no primary yet');
quit(1);
