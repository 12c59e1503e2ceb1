"""A graph that is put together in the open editor, node by node, as somebody would by hand.

Knows the editor's `window.app`; must not know what is shown of it.
"""

from __future__ import annotations

BY_HAND = """(missing) => {
    app.graph.clear();
    const make = (type, left, top, values = {}) => {
        const node = LiteGraph.createNode(type);
        node.pos = [left, top];
        for (const widget of node.widgets) widget.value = values[widget.name] ?? widget.value;
        app.graph.add(node);
        return node;
    };
    const request = make("PromptReelRequest", 60, 160);
    const scene = make("PromptReelScene", 480, 160, { text: "tilt up" });
    const camera = make("PromptReelCamera", 480, 620, { move: "orbit_left", mode: "then" });
    const loader = make("PromptReelWan22Model", 900, 160, { vae: missing });
    const asked = { seconds: 12, width: 1000, height: 555 };
    const maker = make("PromptReelImageToVideo", 900, 560, asked);
    const animate = make("PromptReelAnimate", 1260, 560, { width: 1279 });
    request.connect(0, maker, 1);
    request.connect(0, animate, 0);
    scene.connect(0, camera, 0);
    camera.connect(0, maker, 2);
    camera.connect(0, animate, 1);
    loader.connect(0, maker, 0);
    app.canvas.ds.scale = 0.8;
    app.canvas.ds.offset = [30, 0];
    return app.graph.nodes.map((node) => [node.type, node.id, node.color, node.size[0]]);
}"""
