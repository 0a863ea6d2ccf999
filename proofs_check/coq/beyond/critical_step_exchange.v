(* The exchange argument behind B1.a: among all piecewise-linear functions that interpolate the data, weighted curvature
   is least where the kinks are at the data points.

   A kink of f at t = (1 - theta) x_j + theta x_k, between neighbouring data points, changes the slope of the linear
   spline through the values of f at x_j and x_k only, by shares 1 - theta and theta of its size. A weight above its
   chord there charges no less for the kink than for the shares; and the shares of all kinks add up to the spline's
   changes of slope. *)

From Coq Require Import Reals Lra Lia List Sorted.
From ImplicitSmoothness Require Import Sums two_layer.
Import ListNotations.
Open Scope R_scope.

(** * Definitions *)

(* value + slope x + sum_k c_k [x - t_k]_+: any continuous function with finitely many kinks (t_k, c_k), f' jumping by
   c_k at t_k. *)
Definition piecewise_linear (value slope : R) (knots : list (R * R)) (x : R) : R :=
  value + slope * x + sum (fun k => snd k * relu (x - fst k)) knots.

(* int |f''| w, where the t_k are distinct; where some coincide, no less than it (`merge`). *)
Definition curvature (w : R -> R) (knots : list (R * R)) : R :=
  sum (fun k => Rabs (snd k) * w (fst k)) knots.

(* A data point (x_j, y_j); data are in order of x, as many as you like. *)
Notation point := (R * R)%type.
Definition left_of (p q : point) : Prop := fst p < fst q.
Definition passes_through (f : R -> R) (data : list point) : Prop := Forall (fun p => f (fst p) = snd p) data.
Definition slope_between (p q : point) : R := (snd q - snd p) / (fst q - fst p).

(* sum_j |s_{j+1} - s_j| w(x_j) over the interior data points, s_j the slopes of the linear spline. *)
Fixpoint spline_curvature (w : R -> R) (data : list point) : R :=
  match data with
  | p :: ((q :: r :: _) as rest) => Rabs (slope_between q r - slope_between p q) * w (fst q) + spline_curvature w rest
  | _ => 0
  end.

(* The kinks of the linear spline. *)
Fixpoint spline_knots (data : list point) : list (R * R) :=
  match data with
  | p :: ((q :: r :: _) as rest) => (fst q, slope_between q r - slope_between p q) :: spline_knots rest
  | _ => []
  end.

(* w((1 - theta) x_j + theta x_{j+1}) >= (1 - theta) low(x_j) + theta low(x_{j+1}) between neighbouring data points. *)
Fixpoint above_chords (w low : R -> R) (data : list point) : Prop :=
  match data with
  | p :: ((q :: _) as rest) =>
      (forall theta, 0 <= theta <= 1 ->
         (1 - theta) * low (fst p) + theta * low (fst q) <= w ((1 - theta) * fst p + theta * fst q))
      /\ above_chords w low rest
  | _ => True
  end.

(** * The exchange *)

Definition graph (f : R -> R) (xs : list point) : list point := map (fun p => (fst p, f (fst p))) xs.

Lemma graph_of_interpolant f data : passes_through f data -> graph f data = data.
Proof.
  induction data as [|[x y] data IH]; simpl; intros H; inversion H as [|? ? H1 H2]; subst; simpl in *; auto.
  rewrite IH, H1; auto.
Qed.

Lemma increasing_tail p q data : Sorted left_of (p :: q :: data) -> fst p < fst q /\ Sorted left_of (q :: data).
Proof. intros H; apply Sorted_inv in H as [S L]; apply HdRel_inv in L; auto. Qed.

Lemma slope_add f g (p q : point) : slope_between (fst p, f (fst p) + g (fst p)) (fst q, f (fst q) + g (fst q))
  = slope_between (fst p, f (fst p)) (fst q, f (fst q)) + slope_between (fst p, g (fst p)) (fst q, g (fst q)).
Proof. unfold slope_between, Rdiv; simpl; ring. Qed.

Lemma slope_scale c f (p q : point) : slope_between (fst p, c * f (fst p)) (fst q, c * f (fst q))
  = c * slope_between (fst p, f (fst p)) (fst q, f (fst q)).
Proof. unfold slope_between, Rdiv; simpl; ring. Qed.

Lemma spline_curvature_step low h (p q r : point) xs : spline_curvature low (graph h (p :: q :: r :: xs))
  = Rabs (slope_between (fst q, h (fst q)) (fst r, h (fst r)) - slope_between (fst p, h (fst p)) (fst q, h (fst q)))
      * low (fst q)
    + spline_curvature low (graph h (q :: r :: xs)).
Proof. reflexivity. Qed.

Definition nonneg_at (low : R -> R) (data : list point) : Prop := Forall (fun p => 0 <= low (fst p)) data.

Lemma spline_curvature_add low f g xs : nonneg_at low xs ->
  spline_curvature low (graph (fun x => f x + g x) xs)
  <= spline_curvature low (graph f xs) + spline_curvature low (graph g xs).
Proof.
  induction xs as [|p [|q [|r xs]] IH]; intros H; try (simpl; lra).
  inversion H as [|? ? _ H2]; subst. specialize (IH H2). inversion H2 as [|? ? H3 _]; subst.
  rewrite !spline_curvature_step; cbv beta.
  rewrite 2!slope_add.
  match goal with |- Rabs ?s * _ + _ <= Rabs ?u * _ + _ + (Rabs ?v * _ + _) =>
    assert (E : s = u + v) by ring; rewrite E; assert (T := Rabs_triang u v) end.
  nra.
Qed.

Lemma spline_curvature_scale low c f xs :
  spline_curvature low (graph (fun x => c * f x) xs) = Rabs c * spline_curvature low (graph f xs).
Proof.
  induction xs as [|p [|q [|r xs]] IH]; try (simpl; lra).
  rewrite !spline_curvature_step; cbv beta.
  rewrite IH, 2!slope_scale, <- Rmult_minus_distr_l, Rabs_mult; ring.
Qed.

Lemma slope_of_line a b (p q : point) : fst p < fst q ->
  slope_between (fst p, a + b * fst p) (fst q, a + b * fst q) = b.
Proof. intros; unfold slope_between; simpl; field; lra. Qed.

Lemma spline_curvature_of_line low f a b xs : Sorted left_of xs ->
  Forall (fun p => f (fst p) = a + b * fst p) xs -> spline_curvature low (graph f xs) = 0.
Proof.
  induction xs as [|p [|q [|r xs]] IH]; intros S H; try reflexivity.
  rewrite spline_curvature_step.
  apply increasing_tail in S as [S1 S2]; assert (S3 := increasing_tail _ _ _ S2).
  inversion H as [|? ? Hp H']; subst; inversion H' as [|? ? Hq H'']; subst; inversion H'' as [|? ? Hr _]; subst.
  rewrite IH, Hp, Hq, Hr, 2!slope_of_line by tauto.
  unfold Rminus; rewrite Rplus_opp_r, Rabs_R0; lra.
Qed.

Lemma later_points p data t : Sorted left_of (p :: data) -> t <= fst p -> Forall (fun q => t <= fst q) (p :: data).
Proof.
  revert p; induction data as [|q data IH]; intros p S H; constructor; auto.
  apply increasing_tail in S as [S1 S2]; apply IH; auto; lra.
Qed.

Lemma no_curvature_after low t p xs : Sorted left_of (p :: xs) -> t <= fst p ->
  spline_curvature low (graph (fun x => relu (x - t)) (p :: xs)) = 0.
Proof.
  intros S H; apply spline_curvature_of_line with (a := - t) (b := 1); auto.
  apply Forall_impl with (P := fun q => t <= fst q); [|apply later_points; auto].
  intros q Hq; rewrite relu_pos; lra.
Qed.

(* One kink of size 1 costs at least what the spline through its values does. *)
Lemma one_kink w low t xs : Sorted left_of xs -> nonneg_at low xs -> above_chords w low xs -> 0 <= w t ->
  spline_curvature low (graph (fun x => relu (x - t)) xs) <= w t.
Proof.
  set (f := fun x => relu (x - t)).
  induction xs as [|p [|q [|r xs]] IH]; intros S P C W; try (simpl; lra).
  destruct (increasing_tail _ _ _ S) as [L1 S1]; destruct (increasing_tail _ _ _ S1) as [L2 S2].
  inversion P as [|? ? Pp P1]; subst; inversion P1 as [|? ? Pq P2]; subst; inversion P2 as [|? ? Pr _]; subst.
  destruct C as [C1 C2]. specialize (IH S1 P1 C2 W).
  destruct (Rle_dec t (fst p)) as [B|B]; [unfold f; rewrite no_curvature_after; auto|].
  rewrite spline_curvature_step.
  destruct (Rle_dec t (fst q)) as [B1|B1].
  - (* between p and q *)
    assert (Z : spline_curvature low (graph f (q :: r :: xs)) = 0) by (apply no_curvature_after; auto).
    rewrite Z; unfold f; rewrite (relu_neg (fst p - t)), (relu_pos (fst q - t)), (relu_pos (fst r - t)) by lra.
    set (theta := (t - fst p) / (fst q - fst p)).
    assert (T : theta * (fst q - fst p) = t - fst p) by (unfold theta; field; lra).
    assert (T1 : 0 <= theta <= 1) by (split; nra).
    assert (E : slope_between (fst q, fst q - t) (fst r, fst r - t)
      - slope_between (fst p, 0) (fst q, fst q - t) = theta)
      by (unfold slope_between, theta; simpl; field; lra).
    rewrite E, Rabs_right by lra.
    specialize (C1 theta T1). replace ((1 - theta) * fst p + theta * fst q) with t in C1 by lra. nra.
  - assert (F : slope_between (fst p, f (fst p)) (fst q, f (fst q)) = 0).
    { unfold f, slope_between; simpl; rewrite !relu_neg by lra. unfold Rdiv; ring. }
    rewrite F, Rminus_0_r.
    destruct (Rle_dec t (fst r)) as [B2|B2].
    + (* between q and r *)
      set (theta := (t - fst q) / (fst r - fst q)).
      assert (T : theta * (fst r - fst q) = t - fst q) by (unfold theta; field; lra).
      assert (T1 : 0 <= theta <= 1) by (split; nra).
      assert (E : slope_between (fst q, f (fst q)) (fst r, f (fst r)) = 1 - theta)
        by (unfold slope_between, theta, f; simpl; rewrite (relu_neg (fst q - t)), (relu_pos (fst r - t)) by lra;
          field; lra).
      destruct C2 as [C2 _]; specialize (C2 theta T1).
      replace ((1 - theta) * fst q + theta * fst r) with t in C2 by lra.
      assert (Rest : spline_curvature low (graph f (q :: r :: xs)) <= theta * low (fst r)).
      { destruct xs as [|s xs]; [simpl; nra|].
        rewrite spline_curvature_step.
        assert (L3 := proj1 (increasing_tail _ _ _ S2)).
        assert (Z : spline_curvature low (graph f (r :: s :: xs)) = 0) by (apply no_curvature_after; auto; lra).
        rewrite Z.
        replace (slope_between (fst r, f (fst r)) (fst s, f (fst s))) with 1
          by (unfold slope_between, f; simpl; rewrite !relu_pos by lra; field; lra).
        rewrite E. replace (1 - (1 - theta)) with theta by ring. rewrite Rabs_right by lra. lra. }
      rewrite E, Rabs_right by lra. lra.
    + replace (slope_between (fst q, f (fst q)) (fst r, f (fst r))) with 0
        by (unfold f, slope_between; simpl; rewrite !relu_neg by lra; unfold Rdiv; ring).
      rewrite Rabs_R0; lra.
Qed.

Lemma graph_ext f g xs : (forall x, f x = g x) -> graph f xs = graph g xs.
Proof. intros H; apply map_ext; intros; rewrite H; auto. Qed.

Lemma kinks_together w low knots xs : Sorted left_of xs -> nonneg_at low xs -> above_chords w low xs ->
  (forall t, 0 <= w t) ->
  spline_curvature low (graph (fun x => sum (fun k => snd k * relu (x - fst k)) knots) xs) <= curvature w knots.
Proof.
  intros S P C W; induction knots as [|[t c] knots IH].
  - rewrite spline_curvature_of_line with (a := 0) (b := 0); auto; [apply Rle_refl|].
    apply Forall_forall; intros; simpl; ring.
  - simpl. unfold curvature in *; simpl.
    eapply Rle_trans; [apply (spline_curvature_add low (fun x => c * relu (x - t))); auto|].
    rewrite spline_curvature_scale. assert (O := one_kink w low t xs S P C (W t)).
    assert (N := Rabs_pos c). nra.
Qed.

(* If w >= 0 lies above the chords of its values `low` at the data points, every interpolating function has
   int |f''| w >= sum_j |s_{j+1} - s_j| low(x_j). *)
Theorem spline_has_least_curvature w low data value slope knots :
  Sorted left_of data -> passes_through (piecewise_linear value slope knots) data ->
  nonneg_at low data -> above_chords w low data -> (forall t, 0 <= w t) ->
  spline_curvature low data <= curvature w knots.
Proof.
  intros S I P C W. rewrite <- (graph_of_interpolant _ _ I) at 1. unfold piecewise_linear.
  eapply Rle_trans; [apply (spline_curvature_add low (fun x => value + slope * x)); auto|].
  rewrite spline_curvature_of_line with (a := value) (b := slope); auto.
  - assert (K := kinks_together w low knots data S P C W). lra.
  - apply Forall_forall; auto.
Qed.

(** * The spline attains it *)

Lemma spline_knots_right_of p q data k : Sorted left_of (p :: q :: data) ->
  In k (spline_knots (p :: q :: data)) -> fst q <= fst k.
Proof.
  revert p q; induction data as [|r data IH]; intros p q S H; [easy|].
  destruct (increasing_tail _ _ _ S) as [_ S1]; destruct (increasing_tail _ _ _ S1) as [L _].
  destruct H as [<-|H]; [simpl; lra|]. specialize (IH q r S1 H). lra.
Qed.

Lemma no_kink_yet p q data x : Sorted left_of (p :: q :: data) -> x <= fst q ->
  sum (fun k => snd k * relu (x - fst k)) (spline_knots (p :: q :: data)) = 0.
Proof.
  intros S H; apply sum_zero; intros k Hk. assert (L := spline_knots_right_of p q data k S Hk).
  rewrite relu_neg; lra.
Qed.

Lemma spline_interpolates p q data : Sorted left_of (p :: q :: data) ->
  passes_through
    (piecewise_linear (snd p - slope_between p q * fst p) (slope_between p q) (spline_knots (p :: q :: data)))
    (p :: q :: data).
Proof.
  revert p q; induction data as [|r data IH]; intros p q S; destruct (increasing_tail _ _ _ S) as [L S1].
  - unfold passes_through, piecewise_linear, slope_between; simpl.
    repeat constructor; simpl; field; lra.
  - specialize (IH q r S1). assert (L1 := proj1 (increasing_tail _ _ _ S1)).
    constructor.
    + unfold piecewise_linear; rewrite no_kink_yet by (auto; lra). lra.
    + apply Forall_forall; intros d Hd. unfold passes_through in IH; rewrite Forall_forall in IH. specialize (IH d Hd).
      unfold piecewise_linear in *.
      change (spline_knots (p :: q :: r :: data))
        with ((fst q, slope_between q r - slope_between p q) :: spline_knots (q :: r :: data)).
      rewrite sum_cons; cbn [fst snd].
      assert (Ld : fst q <= fst d).
      { assert (F := later_points q (r :: data) (fst q) S1 (Rle_refl _)). rewrite Forall_forall in F; auto. }
      rewrite relu_pos by lra. rewrite <- IH.
      assert (E : slope_between p q * (fst q - fst p) = snd q - snd p) by (unfold slope_between; field; lra). lra.
Qed.

Lemma curvature_of_spline w data : curvature w (spline_knots data) = spline_curvature w data.
Proof.
  induction data as [|p [|q [|r data]] IH]; try reflexivity.
  change (curvature w ((fst q, slope_between q r - slope_between p q) :: spline_knots (q :: r :: data))
    = Rabs (slope_between q r - slope_between p q) * w (fst q) + spline_curvature w (q :: r :: data)).
  unfold curvature in *; rewrite sum_cons, IH; auto.
Qed.

Lemma spline_knots_distinct data : Sorted left_of data -> NoDup (map fst (spline_knots data)).
Proof.
  induction data as [|p [|q [|r data]] IH]; intros S; try constructor.
  - destruct (increasing_tail _ _ _ S) as [_ S1]; assert (L := proj1 (increasing_tail _ _ _ S1)).
    fold (spline_knots (q :: r :: data)). intros H. apply in_map_iff in H as [k [E H]].
    apply spline_knots_right_of in H; auto. simpl in E. lra.
  - apply IH. apply Sorted_inv in S; tauto.
Qed.

(** * As close as one likes, where the weight is lower beside a data point than at it *)

Lemma room (data : list point) c :
  exists h, 0 < h /\ forall p : point, In p data -> fst p = c \/ fst p <= c - h \/ c + h <= fst p.
Proof.
  induction data as [|q data [h [H IH]]]; [exists 1; split; [lra|easy]|].
  destruct (Req_dec (fst q) c) as [E|E].
  - exists h; split; auto. intros p [<-|Hp]; auto.
  - exists (Rmin h (Rabs (fst q - c))). assert (P := Rabs_pos_lt (fst q - c) ltac:(lra)).
    assert (M1 := Rmin_l h (Rabs (fst q - c))); assert (M2 := Rmin_r h (Rabs (fst q - c))).
    split; [apply Rmin_pos; auto|]. intros p [<-|Hp].
    + right. destruct (Rle_dec 0 (fst q - c)).
      * rewrite (Rabs_right (fst q - c)) in * by lra. right; lra.
      * rewrite (Rabs_left (fst q - c)) in * by lra. left; lra.
    + destruct (IH p Hp) as [?|[?|?]]; [left; auto|right; left; lra|right; right; lra].
Qed.

Definition bends (knots : list (R * R)) (x : R) : R := sum (fun k => snd k * relu (x - fst k)) knots.

(* Beside c, as near as one likes, w comes down to v. *)
Definition approached (w : R -> R) (v c : R) : Prop :=
  forall eps, 0 < eps -> exists t, Rabs (t - c) < eps /\ w t < v + eps.

Lemma bend_beside w v c (data : list point) eps : (forall t, 0 <= w t) -> approached w v c -> 0 < eps ->
  exists knots, (forall p, In p data -> bends knots (fst p) = relu (fst p - c)) /\ curvature w knots <= v + eps.
Proof.
  intros W A He. destruct (room data c) as [h [Hh free]].
  set (M := w (c - h) + w (c + h)). assert (HM : 0 <= M) by (unfold M; generalize (W (c - h)), (W (c + h)); lra).
  set (B := Rabs v + eps + M). assert (HB : 0 < B) by (unfold B; generalize (Rabs_pos v); lra).
  set (d := Rmin (h / 2) (Rmin (eps / 4) (h * eps / (4 * B)))).
  assert (D : 0 < d) by (repeat apply Rmin_pos; try lra; apply Rdiv_lt_0_compat; nra).
  assert (D1 : d <= h / 2) by apply Rmin_l.
  assert (D2 : d <= eps / 4) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_l]).
  assert (D3 : d * (4 * B) <= h * eps).
  { assert (d <= h * eps / (4 * B)) by (eapply Rle_trans; [apply Rmin_r|apply Rmin_r]).
    replace (h * eps) with (h * eps / (4 * B) * (4 * B)) by (field; lra). apply Rmult_le_compat_r; lra. }
  destruct (A d D) as [t [T1 T2]].
  set (s := Rabs (t - c)) in *. assert (S0 : 0 <= s) by apply Rabs_pos.
  set (a := h / (h - s)). assert (Ea : a * (h - s) = h) by (unfold a; field; lra).
  assert (A1 : 1 <= a) by nra.
  assert (A2 : (a - 1) * h <= 2 * d) by nra.
  assert (A3 : (a - 1) * B <= eps / 2) by nra.
  assert (V : v <= Rabs v) by apply Rle_abs.
  assert (Wt := W t).
  assert (cost : forall m, w m <= M -> curvature w [(t, a); (m, 1 - a)] <= v + eps).
  { intros m Hm. unfold curvature; simpl. rewrite (Rabs_right a), (Rabs_left1 (1 - a)) by lra.
    assert (Wm := W m).
    assert ((a - 1) * (w t + w m) <= (a - 1) * B) by (apply Rmult_le_compat_l; unfold B; lra). lra. }
  destruct (Rle_dec c t) as [C|C].
  - assert (Es : s = t - c) by (unfold s; rewrite Rabs_right; lra).
    exists [(t, a); (c + h, 1 - a)]; split; [|apply cost; unfold M; generalize (W (c - h)); lra].
    intros p Hp; unfold bends; simpl. destruct (free p Hp) as [E|[E|E]].
    + rewrite !relu_neg; lra.
    + rewrite !relu_neg; lra.
    + rewrite !relu_pos by lra. rewrite Es in Ea. lra.
  - assert (Es : s = c - t) by (unfold s; rewrite Rabs_left; lra).
    exists [(t, a); (c - h, 1 - a)]; split; [|apply cost; unfold M; generalize (W (c + h)); lra].
    intros p Hp; unfold bends; simpl. rewrite Es in Ea. destruct (free p Hp) as [E|[E|E]].
    + rewrite (relu_neg (fst p - c)), !relu_pos by lra. rewrite E; lra.
    + rewrite !relu_neg; lra.
    + rewrite !relu_pos by lra. lra.
Qed.

Lemma bends_beside w low (data : list point) knots eps : (forall t, 0 <= w t) ->
  (forall k, In k knots -> approached w (low (fst k)) (fst k)) -> 0 < eps ->
  exists moved, (forall p, In p data -> bends moved (fst p) = bends knots (fst p))
    /\ curvature w moved <= curvature low knots + eps.
Proof.
  intros W; revert eps; induction knots as [|[c j] knots IH]; intros eps A He.
  - exists []; split; auto. unfold curvature; simpl; lra.
  - destruct (IH (eps / 2)) as [moved [M1 M2]]; [intros; apply A; now right|lra|].
    assert (P := Rabs_pos j).
    destruct (bend_beside w (low c) c data (eps / 2 / (Rabs j + 1)) W) as [near [N1 N2]].
    { apply (A (c, j)); now left. }
    { apply Rdiv_lt_0_compat; lra. }
    exists (map (fun k => (fst k, j * snd k)) near ++ moved); split.
    + intros p Hp; specialize (M1 p Hp); specialize (N1 p Hp). unfold bends in *.
      rewrite sum_app, sum_map, M1, sum_cons; cbn [fst snd]; rewrite <- N1, <- sum_scal.
      f_equal. apply sum_eq; intros; simpl; ring.
    + unfold curvature in *. rewrite sum_app, sum_map, sum_cons; simpl.
      rewrite (sum_eq _ (fun k => Rabs j * (Rabs (snd k) * w (fst k)))), sum_scal
        by (intros; rewrite Rabs_mult; ring).
      assert (Rabs j * sum (fun a => Rabs (snd a) * w (fst a)) near <= Rabs j * (low c + eps / 2 / (Rabs j + 1)))
        by (apply Rmult_le_compat_l; auto).
      assert (Rabs j * (eps / 2 / (Rabs j + 1)) <= eps / 2).
      { replace (eps / 2) with ((Rabs j + 1) * (eps / 2 / (Rabs j + 1))) at 2 by (field; lra).
        apply Rmult_le_compat_r; [|lra]. apply Rlt_le, Rdiv_lt_0_compat; lra. }
      lra.
Qed.

(* Knots at the same place can be added up. *)
Lemma merge_knot w (k : R * R) knots : (forall t, 0 <= w t) -> NoDup (map fst knots) ->
  exists merged, NoDup (map fst merged) /\ (forall x, bends merged x = bends (k :: knots) x)
    /\ curvature w merged <= curvature w (k :: knots)
    /\ (forall t, In t (map fst merged) -> t = fst k \/ In t (map fst knots)).
Proof.
  intros W; destruct k as [t c]; induction knots as [|[u d] knots IH]; intros H.
  - exists [(t, c)]; repeat split; [repeat constructor; easy|unfold curvature; simpl; lra|].
    intros s [<-|[]]; auto.
  - inversion H as [|? ? H1 H2]; subst. destruct (Req_EM_T t u) as [<-|E].
    + exists ((t, c + d) :: knots); repeat split.
      * constructor; auto.
      * intros x; unfold bends; simpl; ring.
      * unfold curvature; simpl. assert (T := Rabs_triang c d); assert (Wt := W t).
        generalize (Rmult_le_compat_r _ _ _ Wt T); lra.
      * intros s [<-|Hs]; simpl; auto.
    + destruct (IH H2) as [merged [M1 [M2 [M3 M4]]]].
      exists ((u, d) :: merged); repeat split.
      * constructor; auto. intros Hu; apply M4 in Hu as [Hu|Hu]; [simpl in Hu; congruence|easy].
      * intros x; specialize (M2 x); unfold bends in *; simpl in *; lra.
      * unfold curvature in *; simpl in *; lra.
      * intros s [<-|Hs]; [right; now left|]. apply M4 in Hs as [->|Hs]; simpl; auto.
Qed.

Lemma merge w knots : (forall t, 0 <= w t) ->
  exists merged, NoDup (map fst merged) /\ (forall x, bends merged x = bends knots x)
    /\ curvature w merged <= curvature w knots.
Proof.
  intros W; induction knots as [|k knots [merged [M1 [M2 M3]]]].
  - exists []; split; [constructor|split; [reflexivity|apply Rle_refl]].
  - destruct (merge_knot w k merged W M1) as [all [A1 [A2 [A3 _]]]].
    exists all; repeat split; auto.
    + intros x; rewrite A2; unfold bends in *; simpl; rewrite M2; auto.
    + unfold curvature in *; simpl in *; lra.
Qed.

(* int |f''| w of the functions that interpolate the data, f'' being the jumps at distinct knots. *)
Definition curvature_of_an_interpolant (w : R -> R) (data : list point) (v : R) : Prop :=
  exists value slope knots, NoDup (map fst knots)
    /\ passes_through (piecewise_linear value slope knots) data /\ v = curvature w knots.

Definition is_infimum (E : R -> Prop) (m : R) : Prop :=
  (forall v, E v -> m <= v) /\ (forall eps, 0 < eps -> exists v, E v /\ v < m + eps).

(* The infimum of int |f''| w over the interpolating functions is the spline's curvature, weighed with what w comes down
   to at or beside the data points. *)
Theorem least_curvature w low p q data :
  let all := p :: q :: data in
  Sorted left_of all -> nonneg_at low all -> above_chords w low all -> (forall t, 0 <= w t) ->
  (forall d, In d all -> approached w (low (fst d)) (fst d)) ->
  is_infimum (curvature_of_an_interpolant w all) (spline_curvature low all).
Proof.
  intros all S P C W A; split.
  - intros v [value [s [knots [_ [I ->]]]]]. eapply spline_has_least_curvature; eauto.
  - intros eps He. destruct (bends_beside w low all (spline_knots all) (eps / 2)) as [moved [M1 M2]]; auto; [|lra|].
    { intros k Hk.
      assert (D : exists d, In d all /\ fst d = fst k).
      { clear - Hk. unfold all in *; clear all. revert p q Hk; induction data as [|r data IH]; intros p q Hk; [easy|].
        destruct Hk as [<-|Hk]; [exists q; simpl; auto|]. destruct (IH q r Hk) as [d [D1 D2]]. exists d; split; auto.
        now right. }
      destruct D as [d [D1 D2]]. rewrite <- D2; auto. }
    destruct (merge w moved W) as [merged [N [B V]]].
    exists (curvature w merged); split.
    + exists (snd p - slope_between p q * fst p), (slope_between p q), merged; repeat split; auto.
      assert (I := spline_interpolates p q data S). unfold passes_through in *.
      rewrite Forall_forall in *; intros d Hd; rewrite <- (I d Hd).
      unfold piecewise_linear; fold (bends merged (fst d)). rewrite B, M1 by auto. auto.
    + rewrite curvature_of_spline in M2. lra.
Qed.

(* The linear spline attains it where low = w at its kinks. *)
Theorem spline_attains w p q data :
  let all := p :: q :: data in
  Sorted left_of all -> curvature_of_an_interpolant w all (spline_curvature w all).
Proof.
  intros all S. exists (snd p - slope_between p q * fst p), (slope_between p q), (spline_knots all); repeat split.
  - apply spline_knots_distinct; auto.
  - apply spline_interpolates; auto.
  - rewrite curvature_of_spline; auto.
Qed.
