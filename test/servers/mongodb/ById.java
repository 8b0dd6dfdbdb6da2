import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.bson.Document;
import java.util.List;

/**
 * The index of ids, used also where a filter names more than the id, as every fenced write does. The library would look at all
 * documents then, 4 ms for each write to 10,000. What the index finds is still compared with the whole filter.
 */
class ById<P> extends Index<P> {
  private final Index<P> ids;

  private ById(Index<P> ids) {
    super(ids.getName(), ids.getKeys(), false);
    this.ids = ids;
  }

  static <P> Index<P> of(Index<P> index) {
    List<String> fields = index.getKeys().stream().map(IndexKey::getKey).toList();
    return fields.equals(List.of("_id")) ? new ById<>(index) : index;
  }

  private static Document idOnly(Document query) {
    return new Document("_id", query.get("_id"));
  }

  @Override
  public boolean canHandle(Document query) {
    return query.containsKey("_id") && ids.canHandle(idOnly(query));
  }

  @Override
  public Iterable<P> getPositions(Document query) {
    return ids.getPositions(idOnly(query));
  }

  @Override
  public P getPosition(Document document) {
    return ids.getPosition(document);
  }

  @Override
  public void checkAdd(Document document, MongoCollection<P> collection) {
    ids.checkAdd(document, collection);
  }

  @Override
  public void add(Document document, P position, MongoCollection<P> collection) {
    ids.add(document, position, collection);
  }

  @Override
  public P remove(Document document) {
    return ids.remove(document);
  }

  @Override
  public long getCount() {
    return ids.getCount();
  }

  @Override
  public long getDataSize() {
    return ids.getDataSize();
  }

  @Override
  public void checkUpdate(Document before, Document after, MongoCollection<P> collection) {
    ids.checkUpdate(before, after, collection);
  }

  @Override
  public void updateInPlace(Document before, Document after, P position, MongoCollection<P> collection) {
    ids.updateInPlace(before, after, position, collection);
  }

  @Override
  public void drop() {
    ids.drop();
  }

  @Override
  public boolean isUnique() {
    return ids.isUnique();
  }
}
