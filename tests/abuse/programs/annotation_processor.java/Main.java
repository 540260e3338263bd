// Ships a processor of annotations along, which a Java compiler that finds it would run.
@Deprecated
public class Main {
    public static void main(String[] args) {
        System.out.println("processor: " + (new java.io.File("/tmp/ran").exists() ? "ALLOWED" : "refused (not run)"));
        System.out.println("done");
    }
}
