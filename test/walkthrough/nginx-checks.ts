// Check files about nginx as the walk-through leaves it.

/** @param within seconds: where it does not hold it takes so long */
export const CHECK = (verdict: string, within = 120) => `
name: nginx as the walk-through leaves it
steps:
  - expect:
      - { from: client1, to: "tcp://172.31.1.8:30604", verdict: allowed, reply: direct }
      - { from: client2, to: "tcp://172.31.1.8:30604", verdict: ${verdict} }
      - { from: client1, to: "tcp://[fd00:172:31:1::8]:30604", verdict: allowed, source: client1, reply: direct }
      - { from: client2, to: "tcp://[fd00:172:31:1::8]:30604", verdict: ${verdict} }
      - { from: node/node, to: "tcp://pod/default/app=nginx:80", family: IPv6, verdict: allowed }
    within: ${within}
`;

export const OPEN = `
name: nginx, open to all
setup:
  - apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: { name: open-to-all, namespace: default }
    spec: { podSelector: { matchLabels: { app: nginx } }, ingress: [{}] }
steps:
  - expect:
      - { from: client1, to: "tcp://172.31.1.8:30604", verdict: allowed }
    within: 120
  - expect:
      - { from: client1, to: "tcp://172.31.1.8:30604", verdict: allowed, source: client1, reply: direct }
    within: 5
`;

// Also shows that the comparison left the declared state in force.
export const AGENTLESS = (within: number) => `
name: nginx without agents
steps:
  - expect:
      - { from: client1, to: "tcp://172.31.1.8:30604", verdict: allowed, source: client1, reply: direct }
      - { from: client1, to: "tcp://[fd00:172:31:1::8]:30604", verdict: allowed, source: client1, reply: direct }
      - { from: client2, to: "tcp://172.31.1.8:30604", verdict: dropped }
      - { from: pod/default/app=nginx, to: "udp://service/kube-system/kube-dns:53", verdict: allowed }
      - { from: node/master, to: "tcp://node/node:10250", verdict: allowed }
    within: ${within}
`;
