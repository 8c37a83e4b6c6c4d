import pulumi
import pulumi_ebpf_dataplane as ebpf
import pulumi_kubernetes as k8s

config = pulumi.Config()
provider = k8s.Provider("cluster", kubeconfig=config.require_secret("kubeconfig"))

dataplane = ebpf.Dataplane(
    "dataplane",
    # The API server's address for nodes, never a Service.
    api_server=ebpf.ApiServerAddressArgs(host=config.require("apiServerHost"), port=6443),
    image_registry=config.require("imageRegistry"),
    return_mode=ebpf.ReturnMode.DSR,
    ip_pools=[ebpf.IpPoolSpecArgs(cidr="10.244.0.0/16")],
    opts=pulumi.ResourceOptions(providers=[provider]),
)

ebpf.NetworkPolicy(
    "nginx",
    name="nginx",
    pod_selector=ebpf.LabelSelectorArgs(match_labels={"app": "nginx"}),
    ingress=[
        ebpf.NetworkPolicyIngressRuleArgs(
            from_=[ebpf.NetworkPolicyPeerArgs(ip_block=ebpf.IpBlockArgs(cidr="172.31.1.55/32"))],
            ports=[ebpf.NetworkPolicyPortArgs(port=80)],
        )
    ],
    opts=pulumi.ResourceOptions(providers=[provider], depends_on=[dataplane]),
)

pulumi.export("namespace", dataplane.namespace)
