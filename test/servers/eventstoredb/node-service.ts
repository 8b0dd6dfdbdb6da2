import gossips from '@eventstore/db-client/generated/gossip_grpc_pb.js'
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import features from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js'
import featureMessages from '@eventstore/db-client/generated/serverfeatures_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import services from '@eventstore/db-client/generated/streams_grpc_pb.js'
import { type Method, unary } from './grpc-server.ts'

/** What the node says of itself: what it can do, and who is in its cluster. */
export function nodeMethods(
  instanceId: string,
  hasBatchAppend: boolean,
  endpoint: () => { readonly host: string; readonly port: number },
): [path: string, method: Method][] {
  return [
    unary(features.ServerFeaturesService.getSupportedMethods, () => {
      const methods = new featureMessages.SupportedMethods()
      methods.setEventStoreServerVersion('23.10.8')
      const { read, append, delete: remove, tombstone, batchAppend } = services.StreamsService
      methods.addMethods(supported(read.path, ['position', 'events']))
      for (const { path } of [append, remove, tombstone]) methods.addMethods(supported(path, []))
      if (hasBatchAppend) methods.addMethods(supported(batchAppend.path, ['deadline_duration']))
      methods.addMethods(supported(gossips.GossipService.read.path, []))
      methods.addMethods(supported(features.ServerFeaturesService.getSupportedMethods.path, []))
      return methods
    }),
    unary(gossips.GossipService.read, () => {
      const { host, port } = endpoint()
      const address = new gossip.EndPoint()
      address.setAddress(host)
      address.setPort(port)
      const id = new shared.UUID()
      id.setString(instanceId)
      const member = new gossip.MemberInfo()
      member.setInstanceId(id)
      member.setState(gossip.MemberInfo.VNodeState.LEADER)
      member.setIsAlive(true)
      member.setHttpEndPoint(address)
      const cluster = new gossip.ClusterInfo()
      cluster.addMembers(member)
      return cluster
    }),
  ]
}

/** As the node lists it: in small letters, which the client compares in small letters. */
function supported(path: string, featureNames: string[]) {
  const [, service = '', name = ''] = path.toLowerCase().split('/')
  const method = new featureMessages.SupportedMethod()
  method.setServiceName(service)
  method.setMethodName(name)
  method.setFeaturesList(featureNames)
  return method
}
